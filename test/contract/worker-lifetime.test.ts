/** Worker threads that consume and are terminated over their native thread: the process lives, the log stays whole. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openLog } from '../../src/log/index.js'
import { startLogThread } from '../support/log-processes.js'
import type { Report } from '../support/log-worker.js'
import { until } from '../support/until.js'

const WORKERS = 100
const AT_ONCE = 4

it('100 workers open a log, consume and are terminated', { timeout: 60_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tickwire-workers-'))
  const log = await openLog({ directory })
  await log.ensureTopic({ name: 'a', partitions: 2 })
  let consumed = 0
  let appended = 0
  const one = async (): Promise<void> => {
    const orders = { role: 'consume', place: { directory }, group: 'w', topics: ['a'], heartbeatMs: 10, hungMs: 500 } as const
    const worker = await startLogThread({ ...orders, topics: ['a'] })
    let batches = 0
    worker.on('message', (report: Report) => {
      if (report.kind === 'batch') batches++
    })
    const ready = new Promise<void>((resolve, reject) => {
      worker.on('message', (report: Report) => report.kind === 'ready' && resolve())
      worker.on('error', reject)
    })
    await ready
    await log.append('a', appended++ % 2, { kind: 'opaque', value: new Uint8Array(64) })
    await worker.terminate()
    consumed += batches
  }
  for (let i = 0; i < WORKERS / AT_ONCE; i++) await Promise.all(Array.from({ length: AT_ONCE }, one))
  // The slots of the terminated are free at once: their thread left the group when it was joined.
  let assigned = 0
  const consumer = await log.consumer({ group: 'w', topics: ['a'], handler: async () => {}, onAssigned: () => void assigned++ })
  await until('the last member owns both', () => assigned === 2)
  await until('all is consumed', () => consumer.lag() === 0)
  let kept = 0
  for await (const batch of log.read({ topics: ['a'] })) kept += batch.count
  expect(kept).toBe(appended)
  console.log(`${WORKERS} workers terminated, ${consumed} batches consumed by them`)
  await log.close()
  await rm(directory, { recursive: true, force: true })
})
