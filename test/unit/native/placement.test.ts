/** Where TypeScript puts a key is where the batcher puts a record of that symbol. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openLocalLog } from '../../../src/log/index.js'
import { createBatcher, createFeed, frameKind } from '../../../src/native/feed.js'
import { createInstruments } from '../../../src/native/instruments.js'
import { murmur2, partitionOf } from '../../../src/native/model.js'
import { fieldsOf } from '../../../src/wire/index.js'

const directory = mkdtempSync(join(tmpdir(), 'tw-placement-'))
afterAll(() => rmSync(directory, { recursive: true }))

const EXCHANGE = 1
const SYMBOLS = Array.from({ length: 40 }, (_, i) => `SYM${i}USDT`)
const TOPIC = 'market.crypto.trades.placed'

test('without dedicated partitions it is murmur2 over all of them', () => {
  for (const symbol of SYMBOLS) expect(partitionOf(symbol, 5)).toBe((murmur2(symbol) & 0x7fffffff) % 5)
})

test('with them both sides agree, and nobody else stands in a dedicated one', async () => {
  const dedicated = new Map([
    ['SYM0USDT', 3],
    ['SYM7USDT', 1],
  ])
  const log = openLocalLog({ directory })
  await log.ensureTopic({ name: TOPIC, partitions: 4 })
  const instruments = createInstruments()
  const batcher = createBatcher({ log: log.native, instruments, origin: 1n })
  batcher.addRoute(EXCHANGE, 'trades', TOPIC, Object.fromEntries(dedicated))
  batcher.start()
  const feed = createFeed({ batcher, venue: 'binance', exchange: EXCHANGE, source: 0, epoch: 1_700_000_000, policy: 'block' })
  for (const [i, symbol] of SYMBOLS.entries()) {
    instruments.add(EXCHANGE * 0x100_0000 + i + 1, symbol, -8, -8)
    feed.addInstrument(EXCHANGE * 0x100_0000 + i + 1, symbol, 0)
    const trade = {
      e: 'trade',
      E: 1_700_000_000_000,
      s: symbol,
      t: i + 1,
      p: '1.5',
      q: '2',
      T: 1_700_000_000_000,
      m: true,
      M: true,
    }
    const frame = JSON.stringify({ stream: `${symbol.toLowerCase()}@trade`, data: trade })
    feed.push(new TextEncoder().encode(frame), frameKind.text, 1_700_000_000_000_000_000n)
  }
  while (!feed.finish()) await new Promise((resolve) => setImmediate(resolve))
  feed.stop()
  batcher.stop()
  const placed = new Map<string, number>()
  for await (const batch of log.read({ topics: [TOPIC] })) {
    const view = batch.view()
    const id = fieldsOf('trade').instrument_id
    if (view?.name !== 'trade' || id === undefined) continue
    for (let i = 0; i < view.count; i++) placed.set(SYMBOLS[(view.number(id, i) & 0xff_ffff) - 1] ?? '', batch.partition)
  }
  await log.close()
  expect(placed.size).toBe(SYMBOLS.length)
  for (const [symbol, partition] of placed) expect([symbol, partition]).toEqual([symbol, partitionOf(symbol, 4, dedicated)])
  const shared = [...placed].filter(([symbol]) => !dedicated.has(symbol)).map(([, partition]) => partition)
  expect([...new Set(shared)].toSorted()).toEqual([0, 2])
  console.log(`compared the partitions of ${placed.size} symbols`)
})
