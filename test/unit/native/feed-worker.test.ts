import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { packageRoot } from '../../../src/native/addon.js'
import { verifyLog } from '../../../src/native/journal-admin.js'
import { feedLog } from '../../support/feed-log.js'

test('a Worker terminated over a running feed leaves nothing behind, 100 times', async () => {
  const log = feedLog(9)
  try {
    for (let n = 0; n < 100; n++) {
      const worker = new Worker(fileURLToPath(new URL('feed-worker.mjs', import.meta.url)), {
        workerData: {
          addon: join(packageRoot, 'build', 'native', 'tickwire.node'),
          directory: log.directory,
          topic: log.topics.find((topic) => topic.includes('.tickers.')),
          source: 1,
          epoch: 1_700_000_000 + n,
        },
      })
      await new Promise<void>((resolve, reject) => {
        worker.once('message', () => resolve())
        worker.once('error', reject)
      })
      await worker.terminate()
    }
    const report = await verifyLog(log.directory, {})
    expect(report.damageCount + report.badBatches + report.repeats).toBe(0)
    expect(report.streams).toBe(1)
    console.log(`100 workers terminated; ${report.records} records in ${report.messages} messages, all whole`)
    expect(report.records).toBeGreaterThan(100 * 100)
  } finally {
    log.close()
  }
}, 120_000)
