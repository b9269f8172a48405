/** File sources by declaration, from YAML to records: the recorded files give the trades the oracles count. */
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { compileCsv, loadDeclarations, matchDeclaration, parseDeclarations } from '../../../src/ingestion/csv-options.js'
import { packageRoot } from '../../../src/native/addon.js'
import { type DecodedRecords, decodeRecords } from '../../../src/native/decode.js'
import { createInstruments } from '../../../src/native/instruments.js'
import { sharedData } from '../../support/shared-data.js'

const declarations = loadDeclarations(join(packageRoot, 'config', 'venues'))
const TRADE = 1
const QUOTE = 2
const BAR = 9
const GAP = 12

function decodeFile(path: string, name?: string, options: { text?: boolean; bytes?: Uint8Array } = {}): DecodedRecords {
  const source = declarations.find((declared) => declared.name === name) ?? matchDeclaration(declarations, path)
  if (source === undefined || source.kind !== 'csv') throw new Error(`no CSV source for ${path}`)
  const { program, symbol = '' } = compileCsv(source, path)
  const instruments = createInstruments()
  const sizeExponent = ['coinbase', 'binance'].includes(source.exchange) ? -10 : 0
  expect(instruments.add(0x0d000001, symbol, -8, sizeExponent)).toBe(true)
  const bytes = options.bytes ?? gunzipSync(readFileSync(path))
  return decodeRecords('csv', bytes, instruments, [[0x0d000001, symbol, 0n]], { program, text: options.text ?? false })
}

describe('recorded files', () => {
  const trades: [path: string, expected: number, name?: string][] = [
    ['asx/trades_7078.csv.gz', 91_631],
    ['asx/trades_7078.csv.gz', 91_498, 'asx-trades-onbook'],
    ['asx/trades_7181.csv.gz', 232],
    ['lobster/AAPL_2012-06-21_34200000_57600000_message_10.csv.gz', 159],
    ['lean/equity_usa/ibm_tick_trade_20131008.csv.gz', 33_381],
    ['lean/equity_usa/spy_tick_trade_20131007.csv.gz', 250_601],
  ]
  test.each(trades)('%s has %i trades %s', (file, expected, name) => {
    const path = sharedData(file)
    if (path === undefined) return
    const { records, counts } = decodeFile(path, name)
    console.log(`${basename(file)} ${name ?? ''}: ${records[TRADE]} trades, ${JSON.stringify(counts)}`)
    expect(records[TRADE]).toBe(expected)
    expect(records[GAP]).toBe(0)
  })

  const others: [path: string, type: number, expected: number][] = [
    ['asx/quotes_7078.csv.gz', QUOTE, 77_849],
    ['asx/quotes_7181.csv.gz', QUOTE, 549],
    ['lean/equity_usa/ibm_tick_quote_20131007.csv.gz', QUOTE, 109_066],
    ['lean/forex_fxcm/eurusd_second_quote_20140501.csv.gz', BAR, 0],
    ['lean/crypto_coinbase/btcusd_minute_trade_20161007.csv.gz', BAR, 1_419],
    ['lean/crypto_coinbase/btcusd_minute_quote_20180404.csv.gz', BAR, 0],
    ['lean/equity_india/yesbank_minute_trade_20190709.csv.gz', BAR, 0],
    ['lean/equity_usa/spy_daily.csv.gz', BAR, 0],
    ['lean/crypto_binance/btcusdt_hour_trade.csv.gz', BAR, 0],
    ['lean/forex_oanda/eurusd_tick_quote_20140501.csv.gz', QUOTE, 0],
    ['ohlcv/truefx_usdjpy-ticks.csv.gz', QUOTE, 1_000],
  ]
  test.each(others)('%s: every row is a record (type %i, %i of them where it is known)', (file, type, expected) => {
    const path = sharedData(file)
    if (path === undefined) return
    const { records, counts } = decodeFile(path)
    const rows = gunzipSync(readFileSync(path))
      .toString('latin1')
      .split('\n')
      .filter((row) => row !== '').length
    console.log(`${basename(file)}: ${rows} rows, ${records[type]} records, ${JSON.stringify(counts)}`)
    expect(records[type]).toBeGreaterThan(0)
    if (expected !== 0) expect(records[type]).toBe(expected)
    // One more row than records: the vendor itself marks it suspicious.
    expect(counts).toEqual(file.includes('ibm_tick') ? { filtered: 1 } : {})
    expect(records[GAP]).toBe(0)
  })

  test('databento: trades as the oracle counts them', () => {
    const path = sharedData('databento/nautilus')
    if (path === undefined) return
    for (const [file, symbol, expected] of [
      ['historical_bars_catalog__futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.gz', 'ESU4', 120],
      ['esh4-glbx-mdp3-20231225.mbo.dbn.gz', 'ESH4', 2_973],
    ] as const) {
      const instruments = createInstruments()
      instruments.add(0x11000001, symbol, -9, 0)
      const bytes = gunzipSync(readFileSync(join(path, file)))
      const { records, counts } = decodeRecords('dbn', bytes, instruments, [[0x11000001, symbol, 0n]], { text: false })
      console.log(`${file}: ${records[TRADE]} trades, ${JSON.stringify(counts)}`)
      expect(records[TRADE]).toBe(expected)
    }
  })
})

describe('values', () => {
  const first = (file: string, bytes: string, name?: string) =>
    JSON.parse(
      decodeFile(file, name, { text: true, bytes: Buffer.from(bytes) })
        .text.toString('utf8')
        .split('\n')[0] ?? '',
    )

  test('ASX: Sydney time, decimal price', () => {
    const trade = first('trades_7078.csv', '03/10/2014,07:57:14.754,36.667,20000,3,X,\n')
    expect(trade).toMatchObject({ type: 'trade', price: '36.667', size: '20000' })
    // 07:57:14.754 in daylight-saving Sydney is 20:57:14.754 UTC the day before.
    expect(JSON.stringify(trade)).toContain(String(BigInt(Date.UTC(2014, 2, 9, 20, 57, 14, 754)) * 1_000_000n))
  })
  test('Lean: scaled price, New York time', () => {
    const trade = first('lean/equity_usa/ibm_tick_trade_20131007.csv', '14430270,1815200,283,P,20002020,0\n')
    expect(trade).toMatchObject({ type: 'trade', price: '181.52', size: '283' })
    expect(JSON.stringify(trade)).toContain(String(BigInt(Date.UTC(2013, 9, 7, 8, 0, 30, 270)) * 1_000_000n))
  })
  test('LOBSTER: nanoseconds, and the aggressor is the other side', () => {
    const trade = first('AAPL_2012-06-21_34200000_57600000_message_10.csv', '34200.004241176,4,16113575,18,5853300,1\n')
    expect(trade).toMatchObject({ type: 'trade', price: '585.33', size: '18', side: 'sell' })
    expect(JSON.stringify(trade)).toContain(`${BigInt(Date.UTC(2012, 5, 21, 13, 30, 0)) / 1_000n}004241176`)
  })
})

describe('declarations that are refused', () => {
  const base =
    "{ exchange: x, file: '(?<symbol>a)', record: trade, time: { columns: [0], unit: ms, since: epoch }, columns: { price: 1, size: 2 } }"
  test('the base is good', () => expect(parseDeclarations(`sources: { a: ${base} }`, 'x.yaml')).toHaveLength(1))
  test.each([
    ['an unknown key', base.replace('record', 'recrod: 1, record')],
    ['a bad pattern', base.replace('(?<symbol>a)', '(')],
    ['no symbol', base.replace('?<symbol>', '')],
    ['a missing column', base.replace(', size: 2', '')],
    ['a name without a header', base.replace('price: 1', 'price: p')],
    ['midnight without a date', base.replace('epoch', 'midnight')],
    ['bars without an interval', base.replace('record: trade', 'record: bar')],
  ])('%s', (_, text) => {
    expect(() => parseDeclarations(`sources: { a: ${text} }`, 'x.yaml')).toThrow(/x\.yaml/)
  })
})
