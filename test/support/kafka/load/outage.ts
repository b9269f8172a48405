/** All brokers away for a while, and back: what stood in the local log meanwhile is drained. */
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../until.js'
import { timed } from './processes.js'
import type { LoadRun } from './run.js'

const DRAIN_MS_MAX = 240_000

export interface Outage {
  readonly awayMs: number
  /** Ingestion is killed in the middle of it, and starts again while the brokers are still away. */
  readonly killsIngestion: boolean
  leave(): Promise<void>
  comeBack(): Promise<void>
}

/** Tells how much had to wait, and how long it took to catch up with the load that went on. */
export async function outlives(run: LoadRun, outage: Outage): Promise<string> {
  await outage.leave()
  await pause(outage.awayMs / 2)
  if (outage.killsIngestion) {
    await run.producer.kill()
    await run.produce()
  }
  await pause(outage.awayMs / 2)
  const waited = waiting(run)
  await outage.comeBack()
  // The load goes on: caught up is who has no more to send than a second of it.
  const caughtUp = (): boolean => waiting(run) < run.recordsPerSecond
  const tookMs = await timed('the backlog to be drained', caughtUp, DRAIN_MS_MAX)
  await until('the replicator to be at ease', () => run.producer.status.state === 'running', DRAIN_MS_MAX)
  await run.flows()
  const { repeats } = run.producer.status
  return `${waited} records waited, drained within ${(tookMs / 1_000).toFixed(1)} s beside the load, ${repeats} left out as there already`
}

/** Records that the brokers have not acknowledged. */
function waiting(run: LoadRun): number {
  const { ends, acknowledged } = run.producer.status
  return ends.reduce((sum, end, p) => sum + end - (acknowledged[p] ?? 0), 0)
}
