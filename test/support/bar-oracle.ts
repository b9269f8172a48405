/**
 * Bars against the expected ones of ../shared/data/oracles/bars. Whoever has bars (read from a log, folded, decoded) hands
 * them over; the comparison says how many bars were compared and whether each series' sha256 is the expected one.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { decimalText, fieldsOf, layout } from '../../src/wire/index.js'
import { sharedData } from './shared-data.js'

export interface OracleBar {
  readonly symbol: string
  readonly intervalMs: number
  /** Its name; undefined for a number without one. */
  readonly basis?: string | undefined
  readonly startNs: bigint
  readonly version: number
  readonly open: bigint
  readonly high: bigint
  readonly low: bigint
  readonly close: bigint
  readonly volume: bigint
  readonly turnover: bigint
  readonly trades: number
  readonly priceExponent: number
  readonly sizeExponent: number
}

export interface OracleResult {
  readonly compared: number
  readonly series: number
  /** Series whose sha256 differs, is missing or was not expected. */
  readonly unequal: readonly string[]
}

interface OracleRecording {
  readonly source: string
  readonly trades: number
  readonly series: Readonly<Record<string, { readonly bars: number; readonly sha256: string }>>
}

const intervalNames: Readonly<Record<number, string>> = { 1000: '1s', 60000: '1m', 300000: '5m' }

/** The recordings of the oracle by name; undefined when the shared data is not here. */
export function barOracle(): Readonly<Record<string, OracleRecording>> | undefined {
  const path = sharedData('oracles/bars/index.json')
  return path === undefined ? undefined : (JSON.parse(readFileSync(path, 'utf8')) as Record<string, OracleRecording>)
}

/** One line of the oracle's series. */
export const oracleLine = (bar: OracleBar, interval: string): string =>
  [
    bar.symbol,
    interval,
    bar.startNs,
    ...[bar.open, bar.high, bar.low, bar.close].map((price) => decimalText(price, bar.priceExponent)),
    decimalText(bar.volume, bar.sizeExponent),
    decimalText(bar.turnover, bar.priceExponent + bar.sizeExponent),
    bar.trades,
  ].join(',')

/** Of every bar the highest version; intervals the oracle does not have are left out. Prints what was compared. */
export function compareBars(recording: string, bars: Iterable<OracleBar>): OracleResult {
  const expected = barOracle()?.[recording]
  if (expected === undefined) throw new Error(`the oracle has no recording ${recording}`)
  const newest = new Map<string, Map<bigint, OracleBar>>()
  for (const bar of bars) {
    const interval = intervalNames[bar.intervalMs]
    if (interval === undefined) continue
    const name = `${bar.symbol} ${interval}`
    const series = newest.get(name) ?? new Map<bigint, OracleBar>()
    newest.set(name, series)
    const held = series.get(bar.startNs)
    if (held === undefined || held.version < bar.version) series.set(bar.startNs, bar)
  }
  let compared = 0
  const unequal: string[] = []
  for (const name of new Set([...Object.keys(expected.series), ...newest.keys()])) {
    const want = expected.series[name]
    const series = [...(newest.get(name)?.values() ?? [])].sort((a, b) => (a.startNs < b.startNs ? -1 : 1))
    const interval = name.slice(name.lastIndexOf(' ') + 1)
    const hash = createHash('sha256')
    for (const bar of series) hash.update(`${oracleLine(bar, interval)}\n`)
    compared += series.length
    if (want === undefined || want.bars !== series.length || want.sha256 !== hash.digest('hex')) unequal.push(name)
  }
  const series = Object.keys(expected.series).length
  console.log(`bar oracle ${recording}: ${compared} bars compared, ${series - unequal.length} of ${series} series equal`)
  return { compared, series, unequal }
}

const bar = fieldsOf('bar')
const at = (name: string): number => (bar[name] as { offset: number }).offset
const header = fieldsOf('trade')
const basisNames = Object.fromEntries(Object.entries(layout.enums.bar_basis).map(([name, value]) => [value, name]))

/** Bars out of raw bar records, one after the other. `scale` names the instrument; undefined leaves the bar out. */
export function* barsOfRecords(
  records: Uint8Array,
  scale: (instrumentId: number) => { symbol: string; priceExponent: number; sizeExponent: number } | undefined,
): Generator<OracleBar> {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength)
  const size = layout.records.bar.size
  for (let from = 0; from + size <= records.byteLength; from += size) {
    const instrument = scale(view.getUint32(from + (header.instrument_id as { offset: number }).offset, true))
    if (instrument === undefined) continue
    const big = (name: string): bigint => view.getBigInt64(from + at(name), true)
    yield {
      ...instrument,
      intervalMs: view.getUint32(from + at('interval_ms'), true),
      basis: basisNames[view.getUint8(from + at('basis'))],
      startNs: view.getBigUint64(from + at('ts_event'), true),
      version: view.getUint16(from + at('version'), true),
      open: big('open'),
      high: big('high'),
      low: big('low'),
      close: big('close'),
      volume: big('volume'),
      turnover: (big('turnover_high') << 64n) + view.getBigUint64(from + at('turnover_low'), true),
      trades: view.getUint32(from + at('trades'), true),
    }
  }
}
