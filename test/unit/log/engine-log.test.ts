import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { openLog } from '../../../src/log/index.js'

test('a log that closes stops the consumers that still run, and no longer knows those that were stopped', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-open-'))
  try {
    const log = await openLog({ directory })
    await log.ensureTopic({ name: 't', partitions: 1 })
    const consume = () => log.consumer({ group: 'g', topics: ['t'], handler: async () => {} })
    const [stopped, running] = [await consume(), await consume()]
    await stopped.stop()
    const stops = [stopped, running].map((consumer) => vi.spyOn(consumer, 'stop'))
    await log.close()
    expect(stops.map((stop) => stop.mock.calls.length)).toEqual([0, 1])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test('appends that wait their turn stand when producer and log are closed behind them, each as it was given', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-turns-'))
  try {
    const log = await openLog({ directory, durability: 'batch' })
    await log.ensureTopic({ name: 't', partitions: 2 })
    const producer = log.producer('t', 0)
    const value = Buffer.alloc(1)
    const append = (partition: number, n: number) => {
      value[0] = n
      const message = { kind: 'opaque' as const, value }
      return partition === 0 ? producer.append(message) : log.append('t', partition, message)
    }
    const first = [append(0, 0), append(1, 0)]
    // What waits is a copy: the caller's memory is its own again.
    const later = [1, 2, 3].flatMap((n) => [append(0, n), append(1, n)])
    producer.close()
    const closed = log.close()
    expect((await Promise.all([...first, ...later])).map(({ status }) => status)).toEqual(Array(8).fill('ok'))
    await closed

    const again = await openLog({ directory })
    const found: number[][] = [[], []]
    for await (const batch of again.read({ topics: ['t'] })) found[batch.partition]?.push(batch.value[0] as number)
    expect(found.map((values) => values.slice(1))).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
    await again.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
