/** Runs services until they are told to stop, or cannot go on. */
import { delay } from '../core/clock.js'
import { createLogger } from '../core/logging.js'
import { openRuntime } from '../services/runtime.js'
import type { Settings } from '../services/settings.js'
import { type ServiceName, startUp, type Up } from '../services/up.js'
import type { Io } from './io.js'

/** Resolves when the signal came, with its reason. */
export const interrupted = (io: Io): Promise<unknown> =>
  new Promise((resolve) => {
    if (io.signal.aborted) resolve(io.signal.reason)
    else io.signal.addEventListener('abort', () => resolve(io.signal.reason), { once: true })
  })

export interface RunServicesOptions {
  readonly settings: Settings
  readonly names: readonly ServiceName[]
  /** Ends by itself after so many seconds. */
  readonly seconds?: number | undefined
}

/** Drains when it is told to stop and returns; throws the error that ended the process. */
export async function runServices(io: Io, options: RunServicesOptions): Promise<void> {
  const { settings, names } = options
  const logger = createLogger({
    service: names.length === 1 ? (names[0] ?? 'tickwire') : 'up',
    level: settings.logging.level,
    write: io.err,
    pretty: io.isErrTty,
  })
  const runtime = await openRuntime({
    settings,
    service: 'up',
    // What ingests goes on without brokers; what only reads the cluster has nothing to do without it.
    connectLater: names.includes('ingestion'),
    environment: io.environment,
    logger,
    clock: io.clock,
  })
  try {
    const up = await startUp(runtime, names)
    const ending = new AbortController()
    try {
      if (names.includes('stream')) void tellPage(io, up, settings.stream.host, ending.signal)
      io.err(`health:  ${up.http.url}/health\nmetrics: ${up.http.url}/metrics\ndata:    ${runtime.directory}\n`)
      const waits: Promise<unknown>[] = [up.supervisor.ended, interrupted(io)]
      let timer: { cancel(): void } | undefined
      if (options.seconds !== undefined) {
        const ms = options.seconds * 1_000
        waits.push(
          new Promise((resolve) => {
            timer = io.clock.setTimer(() => resolve(undefined), ms)
          }),
        )
      }
      const ended = await Promise.race(waits)
      timer?.cancel()
      if (ended instanceof Error && ended !== io.signal.reason) throw ended
      // The time is over, and there was no work: what stood in its way is the answer.
      if (ended === undefined && up.supervisor.failing !== undefined) throw up.supervisor.failing
    } finally {
      ending.abort()
      await up.stop()
    }
  } finally {
    await runtime.close()
  }
}

const PAGE_MS = 500

/** At once when the gateway listens; while the brokers are away it starts later than the rest. */
async function tellPage(io: Io, up: Up, host: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const port = up.parts.stream?.gateway.port ?? 0
    if (port > 0) return io.err(`page:    http://${host}:${port}/\n`)
    await delay(io.clock, PAGE_MS, signal).catch(() => undefined)
  }
}
