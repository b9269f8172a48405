/**
 * Books of recorded sessions, replayed into a log: no false gap, and at every update id at which the venue told its own best
 * bid and ask, the book has them. Checked twice: by the feed itself, and by slow code from the level records in the log.
 */
import { afterEach, describe, expect, test } from 'vitest'
import type { ReplayIntoOptions } from '../../src/services/replaying.js'
import { decimalText, fieldsOf } from '../../src/wire/index.js'
import { ReplaySession } from '../support/replay-session.js'
import { sharedData } from '../support/shared-data.js'
import { type Best, recordedBests, SlowBook } from '../support/slow-book.js'

let session: ReplaySession | undefined
afterEach(async () => {
  await session?.close()
  session = undefined
})

async function replayed(exchange: string, files: readonly string[], venue = exchange) {
  const paths = files.map((file) => sharedData(file))
  if (paths.includes(undefined)) return undefined
  const recording: ReplayIntoOptions = { exchange, venue, files: paths as string[], depthLevels: 10, bookLevels: true }
  const opened = await ReplaySession.open()
  session = opened
  const { stats } = await opened.replay(recording)
  const gaps = await opened.runtime.log.describe(opened.topic(exchange, 'gaps'), 0)
  expect({ inFeed: stats.gaps, inLog: gaps?.endOffset }).toEqual({ inFeed: 0, inLog: 0 })
  expect(stats.books).toMatchObject({ mismatches: 0, quarantined: 0, resyncs: 0 })
  expect(stats.unknown).toEqual([])
  const report = await opened.verify()
  expect(report.damageCount + report.badBatches + report.repeats).toBe(0)
  return { opened, paths: paths as string[], stats }
}

/** Level records in order, compared whenever the venue told its best at the update that has been applied. Answers how many. */
async function compareBests(opened: ReplaySession, exchange: string, bests: ReadonlyMap<number, Best>): Promise<number> {
  const book = new SlowBook()
  const waiting = [...bests]
  const updateId = fieldsOf('level').update_id
  const instrument = fieldsOf('level').instrument_id
  if (updateId === undefined || instrument === undefined) throw new Error('level records have other fields')
  let scale = { priceExponent: 0, sizeExponent: 0 }
  let compared = 0
  let applied = 0
  const compareUntil = (before: number): void => {
    for (let next = waiting[0]; next !== undefined && next[0] < before; next = waiting[0]) {
      waiting.shift()
      const [bid, bidSize, ask, askSize] = book.best
      const ours: Best = {
        bid: decimalText(bid, scale.priceExponent),
        bidSize: decimalText(bidSize, scale.sizeExponent),
        ask: decimalText(ask, scale.priceExponent),
        askSize: decimalText(askSize, scale.sizeExponent),
      }
      expect(ours, `update ${next[0]}`).toEqual(next[1])
      compared++
    }
  }
  for await (const batch of opened.runtime.log.read({ topics: [opened.topic(exchange, 'book')] })) {
    const view = batch.view()
    if (view?.name !== 'level') continue
    for (let i = 0; i < view.count; i++) {
      const id = Number(view.big(updateId, i))
      if (applied === 0) scale = opened.runtime.scaleOf(view.number(instrument, i)) ?? scale
      // The first update is the snapshot with what waited for it: bests from before it have nothing to stand against.
      if (applied === 0) while (waiting[0] !== undefined && waiting[0][0] < id) waiting.shift()
      compareUntil(id)
      book.take(view, i)
      applied = id
    }
  }
  compareUntil(Number.POSITIVE_INFINITY)
  return compared
}

describe('books of recorded sessions', () => {
  test.each([
    ['binance', 'spot, two files as one session', ['spot_btcusdt_20240808', 'spot_btcusdt_20240809'], 1_072],
    ['binance_usdm', 'USD-M', ['usdm_btcusdt_20240808'], 629],
    ['binance_coinm', 'COIN-M', ['cm_btcusd_perp_20240808'], 1],
  ] as const)('%s: %s', async (exchange, name, files, checksMin) => {
    const out = await replayed(
      exchange,
      files.map((file) => `hftbacktest/${file}.gz`),
    )
    if (out === undefined) return
    const compared = await compareBests(out.opened, exchange, recordedBests(out.paths))
    console.log(
      `${name}: ${out.stats.frames} frames, ${out.stats.records} records, 0 gaps; ${out.stats.books.checks} checks by the feed, ` +
        `${compared} from the log by slow code, 0 mismatches`,
    )
    expect(out.stats.books.checks).toBeGreaterThanOrEqual(checksMin)
    expect(compared).toBeGreaterThanOrEqual(checksMin)
  })

  test('Kraken: every checksum', async () => {
    const out = await replayed('kraken', ['flashbook/kraken_v2_live-btc-eth.ndjson.gz'])
    if (out === undefined) return
    console.log(`Kraken: ${out.stats.frames} frames, ${out.stats.books.checks} checksums equal, 0 mismatches`)
    expect(out.stats.books.checks).toBe(2_962)
  })

  test.each([
    ['binance', ['cryptofeed/BINANCE.http.0.0.gz', 'cryptofeed/BINANCE.ws.1.0.gz']],
    ['binance_usdm', ['cryptofeed/BINANCE_FUTURES.http.0.0.gz', 'cryptofeed/BINANCE_FUTURES.ws.1.0.gz']],
  ] as const)('%s: a WebSocket and a REST file are one session', async (exchange, files) => {
    const out = await replayed(exchange, files)
    if (out === undefined) return
    const { frames, records, books } = out.stats
    console.log(`${files[1]}: ${frames} frames, ${records} records, ${books.checks} checks, 0 gaps`)
    expect(frames).toBeGreaterThan(0)
  })
})
