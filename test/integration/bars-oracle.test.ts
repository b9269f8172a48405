/** The aggregator against expected bars of recorded sessions, whose trades are parsed here by slow code. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createBarFold } from '../../src/processors/bars/fold.js'
import { barOracle, barsOfRecords, compareBars, type OracleBar } from '../support/bar-oracle.js'
import { RecordWriter, scaled } from '../support/record-writer.js'
import { recordedTrades } from '../support/recorded-trades.js'
import { sharedData } from '../support/shared-data.js'

const oracle = barOracle()
const price = -8
const size = -8

describe.skipIf(oracle === undefined)('bars of recorded trades', () => {
  for (const [name, trades] of Object.entries(recordedTrades)) {
    it(name, () => {
      const writer = new RecordWriter()
      const symbols: string[] = []
      const recorded = trades()
      for (const trade of recorded) {
        if (!symbols.includes(trade.symbol)) symbols.push(trade.symbol)
        writer.add('trade', {
          instrument_id: symbols.indexOf(trade.symbol) + 1,
          ts_event: trade.ns,
          price: scaled(trade.price, price),
          size: scaled(trade.size, size),
        })
      }
      writer.final()
      expect(recorded.length).toBe(oracle?.[name]?.trades)
      const fold = createBarFold({ intervals: ['1s', '1m', '5m'] })
      const bars = fold.push(writer.bytes, 0)
      const result = compareBars(
        name,
        barsOfRecords(bars, (id) => ({ symbol: symbols[id - 1] ?? '', priceExponent: price, sizeExponent: size })),
      )
      expect(result.unequal).toEqual([])
      expect(result.compared).toBeGreaterThan(0)
      expect(fold.stats().ticks).toBe(recorded.length)
    })
  }
})

const rowsOf = (path: string): string[][] | undefined => {
  const file = sharedData(path)
  if (file === undefined) return undefined
  return gunzipSync(readFileSync(file))
    .toString()
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','))
}
/** Compared as text: a matcher over so many small arrays takes minutes. */
const text = (rows: readonly (readonly bigint[])[]): string => rows.map((row) => row.join(',')).join('\n')
const midnight = BigInt(Date.UTC(2014, 4, 1)) * 1_000_000n
const at = (ms: string | undefined): bigint => midnight + BigInt(ms ?? 0) * 1_000_000n
const fold = (writer: RecordWriter, options: Parameters<typeof createBarFold>[0]): OracleBar[] => {
  writer.final()
  const bars = createBarFold(options).push(writer.bytes, 0)
  return [...barsOfRecords(bars, () => ({ symbol: 'X', priceExponent: -6, sizeExponent: -8 }))]
}

describe('FX ticks to bid and ask bars', () => {
  for (const [venue, days] of [
    ['forex_fxcm', ['20140501', '20140502', '20140505']],
    ['forex_oanda', ['20140501', '20140502']],
  ] as const) {
    for (const day of days) {
      it(`${venue} ${day}`, () => {
        const ticks = rowsOf(`lean/${venue}/eurusd_tick_quote_${day}.csv.gz`)
        if (ticks === undefined) return
        let compared = 0
        for (const [side, column] of [
          ['bid', 1],
          ['ask', 6],
        ] as const) {
          const writer = new RecordWriter()
          for (const [ms, bid = '', ask = ''] of ticks) {
            writer.add('quote', { instrument_id: 1, ts_event: at(ms), bid_price: scaled(bid, -6), ask_price: scaled(ask, -6) })
          }
          const bars = fold(writer, { intervals: ['1s', '1m'], basis: side })
          for (const [intervalMs, file] of [
            [1_000, 'second'],
            [60_000, 'minute'],
          ] as const) {
            const want = (rowsOf(`lean/${venue}/eurusd_${file}_quote_${day}.csv.gz`) ?? []).map((row) => [
              at(row[0]),
              ...row.slice(column, column + 4).map((value) => scaled(value, -6)),
            ])
            const ours = bars
              .filter((bar) => bar.intervalMs === intervalMs)
              .map((bar) => [bar.startNs, bar.open, bar.high, bar.low, bar.close])
            expect(text(ours) === text(want)).toBe(true)
            compared += ours.length
          }
        }
        console.log(`${venue} ${day}: ${ticks.length} ticks, ${compared} bid and ask bars compared, all equal`)
        expect(compared).toBeGreaterThan(0)
      })
    }
  }
})

describe('Coinbase second bars to minute bars', () => {
  for (const day of ['20161007', '20161008']) {
    it(day, () => {
      const seconds = rowsOf(`lean/crypto_coinbase/btcusd_second_trade_${day}.csv.gz`)
      if (seconds === undefined) return
      const writer = new RecordWriter()
      for (const [ms, open = '', high = '', low = '', close = '', volume = ''] of seconds) {
        writer.add('bar', {
          instrument_id: 1,
          ts_event: at(ms),
          ts_end: at(ms) + 1_000_000_000n,
          open: scaled(open, -6),
          high: scaled(high, -6),
          low: scaled(low, -6),
          close: scaled(close, -6),
          volume: scaled(volume, -8),
          interval_ms: 1_000,
          basis: 1,
          version: 1,
        })
      }
      const bars = fold(writer, { intervals: ['1m'], basis: 'bar' })
      const want = (rowsOf(`lean/crypto_coinbase/btcusd_minute_trade_${day}.csv.gz`) ?? []).map((row) => [
        at(row[0]),
        ...row.slice(1, 5).map((value) => scaled(value, -6)),
        scaled(row[5] ?? '', -8),
      ])
      expect(text(bars.map((bar) => [bar.startNs, bar.open, bar.high, bar.low, bar.close, bar.volume]))).toBe(text(want))
      console.log(`coinbase ${day}: ${seconds.length} second bars, ${bars.length} minute bars compared, all equal`)
      expect(bars.length).toBeGreaterThan(0)
    })
  }
})
