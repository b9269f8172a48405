/**
 * Bars that vendors publish beside the ticks (or smaller bars) they are made of: ticks replayed into a log, bars by the
 * processor's thread, the vendor's files as expected values, read here by slow code.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import type { OracleBar } from '../support/bar-oracle.js'
import { scaled } from '../support/record-writer.js'
import { ReplaySession } from '../support/replay-session.js'
import { sharedData } from '../support/shared-data.js'

let session: ReplaySession | undefined
afterEach(async () => {
  await session?.close()
  session = undefined
})

/** Prices and volumes at exponents no file is finer than; vendors that summed volumes in floating point are rounded. */
const PRICE = -10
const VOLUME = -8
const volume = (text: string): bigint =>
  text.includes('e') || text.length > 12 ? scaled(Number(text).toFixed(8), VOLUME) : scaled(text, VOLUME)
const msOf = (file: string): bigint => {
  const [, year, month, day] = /_(\d{4})(\d{2})(\d{2})\.csv/.exec(file) ?? []
  return BigInt(Date.UTC(Number(year), Number(month) - 1, Number(day)))
}
/** A vendor's bar file: `start in ns, then four prices`, the columns from `first` on. */
function expectedBars(file: string, first: number, withVolume = false): string[] {
  const midnight = msOf(file)
  return gunzipSync(readFileSync(file))
    .toString()
    .trim()
    .split(/\r?\n/)
    .map((line) => {
      const row = line.split(',')
      const prices = row.slice(first, first + 4).map((text) => scaled(text, PRICE))
      return [(midnight + BigInt(row[0] ?? 0)) * 1_000_000n, ...prices, ...(withVolume ? [volume(row[5] ?? '')] : [])].join(',')
    })
}
const ten = (exponent: number): bigint => 10n ** BigInt(exponent)
/** The newest version of each bar in the same form. */
function ours(bars: readonly OracleBar[], withVolume = false): string[] {
  const newest = new Map<bigint, OracleBar>()
  for (const bar of bars) if ((newest.get(bar.startNs)?.version ?? 0) < bar.version) newest.set(bar.startNs, bar)
  return [...newest.values()]
    .sort((a, b) => (a.startNs < b.startNs ? -1 : 1))
    .map((bar) => {
      const price = ten(bar.priceExponent - PRICE)
      const prices = [bar.open, bar.high, bar.low, bar.close].map((value) => value * price)
      return [bar.startNs, ...prices, ...(withVolume ? [rescaled(bar.volume, bar.sizeExponent)] : [])].join(',')
    })
}
const rescaled = (value: bigint, exponent: number): bigint =>
  exponent >= VOLUME ? value * ten(exponent - VOLUME) : value / ten(VOLUME - exponent)

/** How many are equal; compared as text, because a matcher over so many small arrays takes minutes. */
function expectEqual(actual: readonly string[], expected: readonly string[], what: string): number {
  const different = expected.findIndex((line, i) => line !== actual[i])
  expect({ what, bars: actual.length, different: actual[different] }).toEqual({
    what,
    bars: expected.length,
    different: expected[different],
  })
  expect(actual.length).toBeGreaterThan(0)
  return actual.length
}

describe('FX ticks to bid and ask bars', () => {
  test.each([
    ['fxcm', ['20140501', '20140502', '20140505']],
    ['oanda', ['20140501', '20140502']],
  ] as const)('%s', async (exchange, days) => {
    const file = (kind: string, day: string) => sharedData(`lean/forex_${exchange}/eurusd_${kind}_quote_${day}.csv.gz`)
    const ticks = days.map((day) => file('tick', day))
    if (ticks.includes(undefined)) return
    session = await ReplaySession.open()
    const { stats } = await session.replay({ exchange, files: ticks as string[] })
    expect(stats.gaps).toBe(0)
    const { bars } = await session.bars(exchange, { input: 'quotes', intervals: ['1s', '1m'], basis: ['bid', 'ask'] })
    let compared = 0
    for (const [basis, column] of [
      ['bid', 1],
      ['ask', 6],
    ] as const) {
      for (const [kind, intervalMs] of [
        ['second', 1_000],
        ['minute', 60_000],
      ] as const) {
        const expected = days.flatMap((day) => expectedBars(file(kind, day) ?? '', column))
        const actual = ours(bars.filter((bar) => bar.basis === basis && bar.intervalMs === intervalMs))
        compared += expectEqual(actual, expected, `${exchange} ${basis} ${kind}`)
      }
    }
    console.log(`${exchange}: ${stats.records - stats.clocks} ticks of ${days.length} days, ${compared} bars compared, all equal`)
  })
})

describe('smaller bars to minute bars', () => {
  test('Coinbase seconds', async () => {
    const days = ['20161007', '20161008']
    const file = (kind: string, day: string) => sharedData(`lean/crypto_coinbase/btcusd_${kind}_trade_${day}.csv.gz`)
    const seconds = days.map((day) => file('second', day))
    if (seconds.includes(undefined)) return
    session = await ReplaySession.open()
    const { stats } = await session.replay({ exchange: 'coinbase', files: seconds as string[] })
    expect(stats.gaps).toBe(0)
    const { bars } = await session.bars('coinbase', { input: 'ohlcv', intervals: ['1m'], basis: 'bar' })
    const expected = days.flatMap((day) => expectedBars(file('minute', day) ?? '', 1, true))
    const actual = ours(
      bars.filter((bar) => bar.intervalMs === 60_000),
      true,
    )
    const compared = expectEqual(actual, expected, 'coinbase minutes')
    console.log(`coinbase: ${stats.records - stats.clocks} second bars, ${compared} minute bars compared, all equal`)
  })

  test('Databento trades to the official ES minutes', async () => {
    const folder = 'databento/nautilus/historical_bars_catalog__futures_'
    const trades = sharedData(`${folder}trades_2024-07-01T23-58_2024-07-02T00-02.dbn.gz`)
    const official = sharedData(`${folder}ohlcv-1m_2024-07-01T23-40_2024-07-02T00-10.dbn.gz`)
    if (trades === undefined || official === undefined) return
    session = await ReplaySession.open()
    // The header says which exchange this is.
    const { exchange } = await session.replay({ files: [trades] })
    expect(exchange).toBe('glbx')
    const { bars } = await session.bars('glbx', { input: 'trades', intervals: ['1m'], basis: 'trade' })
    await session.close()
    session = await ReplaySession.open()
    const { stats } = await session.replay({
      exchange: 'glbx',
      files: [official],
      venueBars: true,
    })
    expect(stats.gaps).toBe(0)
    const starts = new Set(bars.map((bar) => bar.startNs))
    const expected = (await session.barsInLog('glbx')).filter((bar) => bar.symbol === bars[0]?.symbol && starts.has(bar.startNs))
    const compared = expectEqual(ours(bars, true), ours(expected, true), 'ES minutes')
    expect(compared).toBe(4)
    console.log(`ES: ${compared} official minute bars compared, all equal`)
  })
})
