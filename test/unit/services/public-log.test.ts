import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type DecodedRecord, openLog, readCapture } from '../../../src/index.js'
import { sharedData } from '../../support/shared-data.js'

const directory = mkdtempSync(join(tmpdir(), 'tickwire-public-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('the guide’s loop: a recording into a log, read by alias, symbol and time, as objects and as batches', async () => {
  const file = sharedData('cryptofeed/BINANCE.ws.1.0.gz')
  const book = sharedData('cryptofeed/BINANCE.http.0.0.gz')
  if (file === undefined || book === undefined) return
  const log = await openLog({ directory, write: true })
  const { stats, exchange } = await log.replay({ files: [file, book], venue: 'binance' })
  expect(exchange).toBe('binance')
  expect(stats.records).toBeGreaterThan(50)
  const quotes: DecodedRecord[] = []
  for await (const record of log.records({ topics: ['market.crypto.quotes.*'] })) {
    if (record.type === 'quote') quotes.push(record)
  }
  expect(quotes.length).toBeGreaterThan(50)
  const middle = BigInt(String(quotes[Math.floor(quotes.length / 2)]?.ts_recv))
  let before = 0
  for await (const record of log.records({ topics: ['market.crypto.quotes.binance'], to: { time: middle } })) {
    if (record.type === 'quote') before++
    expect(BigInt(String(record.ts_recv)) < middle).toBe(true)
  }
  expect(before).toBeGreaterThan(0)
  expect(before).toBeLessThan(quotes.length)
  let counted = 0
  for await (const batch of log.read({ topics: ['market.crypto.quotes.binance'] })) {
    const view = batch.view()
    if (view?.name === 'quote') counted += view.count
  }
  expect(counted).toBe(quotes.length)
  await log.close()

  const captured: DecodedRecord[] = []
  for await (const record of readCapture({ files: [file, book], venue: 'binance', dataTypes: ['quotes'] })) {
    if (record.type === 'quote') captured.push(record)
  }
  expect(captured.map((r) => r.id)).toEqual(quotes.map((r) => r.id))
  console.log(`${captured.length} quotes of the recording compared with those of the log, all equal`)
})

test('what is not there is said', async () => {
  const log = await openLog({ directory: join(directory, 'empty'), write: true })
  await expect(log.records({ topics: ['market.crypto.trades.binance'] }).next()).rejects.toThrow(/holds nothing of/)
  await expect(log.records({ topics: ['no.such.topic'] }).next()).rejects.toThrow(/not declared/)
  await log.close()
})
