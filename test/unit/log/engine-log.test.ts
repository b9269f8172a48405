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
