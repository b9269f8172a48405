/**
 * Records as plain objects: the same text as native/wire/json.cc gives, for tools, tests and browsers. Not for the hot path.
 */
import { layout } from './layout.js'
import { type BatchView, type Field, fieldsOf, NO_PRICE } from './views.js'

/** What is needed of an instrument to write its numbers: value = integer × 10^exponent. */
export interface InstrumentScale {
  readonly symbol: string
  readonly priceExponent: number
  readonly sizeExponent: number
}
export type InstrumentLookup = (instrumentId: number) => InstrumentScale | undefined

export type DecodedValue = string | number | boolean | null | readonly DecodedValue[]
export type DecodedRecord = Record<string, DecodedValue>

/** Plain decimal text without trailing zeros: (6183763n, -2) → "61837.63". */
export function decimalText(mantissa: bigint, exponent: number): string {
  if (mantissa === 0n) return '0'
  const negative = mantissa < 0n
  let digits = (negative ? -mantissa : mantissa).toString()
  let places = exponent
  if (places < 0) {
    const zeros = digits.length - digits.replace(/0+$/, '').length
    const cut = Math.min(zeros, -places)
    digits = digits.slice(0, digits.length - cut)
    places += cut
  }
  if (places >= 0) digits += '0'.repeat(places)
  else {
    digits = digits.padStart(1 - places, '0')
    digits = `${digits.slice(0, places)}.${digits.slice(places)}`
  }
  return negative ? `-${digits}` : digits
}

const bitNames = (bits: number, names: Readonly<Record<string, number>>): string[] =>
  Object.entries(names)
    .filter(([, bit]) => (bits & bit) !== 0)
    .map(([name]) => name)

const enumNames: Readonly<Record<string, Readonly<Record<number, string>>>> = Object.fromEntries(
  Object.entries(layout.enums).map(([name, values]) => [
    name,
    Object.fromEntries(Object.entries(values).map(([key, value]) => [value, key])),
  ]),
)
const noneOf: Readonly<Record<string, string>> = { record_type: 'none', bar_basis: 'none' }
const enumName = (enumeration: string, value: number): string =>
  enumNames[enumeration]?.[value] ?? (value === 0 ? (noneOf[enumeration] ?? 'unknown') : 'unknown')

const UNKNOWN_COUNT = 0xffff_ffff_ffff_ffffn
const eventIdPrefix: Readonly<Record<string, string>> = {
  trade: 't',
  quote: 'q',
  ticker: 'k',
  index: 'i',
  depth5: 'd5',
  depth10: 'd10',
  depth20: 'd20',
  level: 'l',
  bar: 'b',
  gap: 'x',
}
const headerNames = new Set(['ts_event', 'ts_recv', 'seq', 'epoch', 'instrument_id', 'type', 'source', 'flags'])

/** The event id of a record; undefined for clock and status records, which have none. */
export function eventId(batch: BatchView, index: number): string | undefined {
  const prefix = eventIdPrefix[batch.name]
  if (prefix === undefined) return undefined
  const fields = fieldsOf(batch.name)
  const number = (name: string): number => batch.number(fields[name] as Field, index)
  const head = `${prefix}-${number('instrument_id')}-${number('source')}`
  if (batch.name !== 'bar') return `${head}-${number('epoch')}-${number('seq')}`
  const start = batch.big(fields.ts_event as Field, index) / 1_000_000n
  return `${head}-${number('interval_ms')}-${number('basis')}-${start}-${number('version')}`
}

/** One record as an object: prices and sizes exact decimal strings, 64-bit integers strings, enumerations names. */
export function decodeRecord(batch: BatchView, index: number, instruments: InstrumentLookup): DecodedRecord {
  const fields = fieldsOf(batch.name)
  const number = (name: string): number => batch.number(fields[name] as Field, index)
  const big = (name: string): bigint => batch.big(fields[name] as Field, index)
  const instrumentId = number('instrument_id')
  const instrument = instrumentId === 0 ? undefined : instruments(instrumentId)
  const scaled = (value: bigint, exponent: number): string | null => (value === NO_PRICE ? null : decimalText(value, exponent))
  const price = (value: bigint) => scaled(value, instrument?.priceExponent ?? 0)
  const size = (value: bigint) => scaled(value, instrument?.sizeExponent ?? 0)

  const out: DecodedRecord = { type: batch.name }
  const id = eventId(batch, index)
  if (id !== undefined) out.id = id
  out.symbol = instrument?.symbol ?? null
  if (instrument === undefined && instrumentId !== 0) out.raw = true
  out.instrument_id = instrumentId
  out.ts_event = big('ts_event').toString()
  out.ts_recv = big('ts_recv').toString()
  out.epoch = number('epoch')
  out.seq = number('seq')
  out.source = number('source')
  out.flags = bitNames(number('flags'), layout.flags)

  if (batch.name === 'depth5' || batch.name === 'depth10' || batch.name === 'depth20') {
    for (const side of ['bid', 'ask']) {
      const levels: DecodedValue[] = []
      for (let i = 0; fields[`${side}_${i}_price`] !== undefined; i++) {
        const levelPrice = big(`${side}_${i}_price`)
        if (levelPrice === NO_PRICE) break
        levels.push([price(levelPrice), size(big(`${side}_${i}_size`)), number(`${side}_${i}_orders`)])
      }
      out[`${side}s`] = levels
    }
    return out
  }
  for (const [name, field] of Object.entries(fields)) {
    if (headerNames.has(name) || name.startsWith('cause_') || name === 'price_kind' || name === 'turnover_high') continue
    if (name.startsWith('detail_')) {
      if (name === 'detail_0') {
        const text = batch.record(index).subarray(field.offset)
        const end = text.indexOf(0)
        out.detail = new TextDecoder().decode(text.subarray(0, end < 0 ? text.length : end))
      }
    } else if (name === 'turnover_low') {
      const turnover = (big('turnover_high') << 64n) | big('turnover_low')
      out.turnover = decimalText(turnover, (instrument?.priceExponent ?? 0) + (instrument?.sizeExponent ?? 0))
    } else if (field.meaning === 'price') out[name] = price(big(name))
    else if (field.meaning === 'size') out[name] = size(big(name))
    else if (field.meaning === 'time') out[name] = big(name) === 0n ? null : big(name).toString()
    else if (name === 'funding_rate') out[name] = scaled(big(name), -8)
    else if (name === 'completeness') out[name] = bitNames(number(name), layout.completeness)
    else if (batch.name === 'gap' && name === 'count') out[name] = big(name) === UNKNOWN_COUNT ? null : big(name).toString()
    else if (field.meaning !== undefined && field.meaning in layout.enums) out[name] = enumName(field.meaning, number(name))
    else if (field.kind === 'u64' || field.kind === 'i64') out[name] = big(name).toString()
    else out[name] = number(name)
  }
  return out
}
