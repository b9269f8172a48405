/** createBars on a real log: what it appends equals a fold of the log, before and after a restart. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { encodeBatch, openNativeAppender, openNativeLog } from '../../src/native/log.js'
import { createBarFold, createBars } from '../../src/processors/bars/index.js'
import { layout } from '../../src/wire/index.js'
import { RecordWriter } from '../support/record-writer.js'
import { until } from '../support/until.js'

const directory = mkdtempSync(join(tmpdir(), 'tickwire-bars-'))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

it('appends what a fold of the same records gives, over a restart', async () => {
  const log = openNativeLog(directory, {})
  expect(log.ensureTopic({ name: 'market.crypto.trades.test', partitions: 1 })).toBe(0)
  const appender = openNativeAppender(log, 'market.crypto.trades.test', 0)
  const fold = createBarFold({ intervals: ['1s', '1m'] })
  const start = 1_700_000_000_000_000_000n
  let expected = 0
  let appended = 0
  for (let run = 0; run < 2; run++) {
    const bars = createBars({
      log,
      inputs: ['market.crypto.trades.test'],
      output: 'market.crypto.ohlcv.test',
      intervals: ['1s', '1m'],
    })
    bars.start()
    const writer = new RecordWriter()
    for (let i = 0; i < 500; i++) {
      const seq = run * 500 + i + 1
      writer.add('trade', {
        instrument_id: 1,
        seq,
        ts_event: start + BigInt(seq) * 250_000_000n,
        price: 100 + (seq % 7),
        size: 1,
      })
    }
    const offset = run * 500
    expect(appender.append(1, '', encodeBatch(layout.records.trade.type, writer.bytes, 0n), start)).toBe(0)
    expected += fold.push(writer.bytes, offset).byteLength / layout.records.bar.size
    await until('the batch read', () => bars.stats().lanes[0]?.position === offset + 500)
    bars.stop()
    const stats = bars.stats()
    expect(stats.state).toBe('stopped')
    expect(stats.lanes[0]?.restoredAt).toBe(offset)
    appended += stats.lanes[0]?.appended ?? 0
  }
  expect(expected).toBeGreaterThan(200)
  expect(appended).toBe(expected)
  expect(log.describe('market.crypto.ohlcv.test', 0)?.endOffset).toBe(expected)
  console.log(`${expected} bars in the log, as many as the fold made`)
})
