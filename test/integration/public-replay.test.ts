/** What docs/guides/replay.md promises: the public API, and the command, give the oracle's bars of a recording. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openLog } from '../../src/index.js'
import { compareBars, type OracleBar } from '../support/bar-oracle.js'
import { cli } from '../support/cli.js'
import { scaled } from '../support/record-writer.js'
import { sharedData } from '../support/shared-data.js'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})
function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-public-'))
  directories.push(directory)
  return directory
}

/** A bar as JSON says it. Turnover has the exponents of price and size together. */
function oracleBar(record: Readonly<Record<string, unknown>>): OracleBar {
  const at = (name: string, exponent: number): bigint => scaled(String(record[name]), exponent)
  return {
    symbol: String(record.symbol),
    intervalMs: Number(record.interval_ms),
    startNs: BigInt(String(record.ts_event)),
    version: Number(record.version),
    open: at('open', -9),
    high: at('high', -9),
    low: at('low', -9),
    close: at('close', -9),
    volume: at('volume', -10),
    turnover: at('turnover', -19),
    trades: Number(record.trades),
    priceExponent: -9,
    sizeExponent: -10,
  }
}

const cases = [
  ['lobster_aapl', 'lobster/AAPL_2012-06-21_34200000_57600000_message_10.csv.gz', undefined],
  ['asx_7181_all', 'asx/trades_7181.csv.gz', undefined],
  ['binance_cm_btc_0808', 'hftbacktest/cm_btcusd_perp_20240808.gz', 'binance_coinm'],
  ['cf_coinbase', 'cryptofeed/COINBASE.ws.28.0.gz', 'coinbase'],
] as const

test.each(cases)('openLog: %s', async (name, path, venue) => {
  const file = sharedData(path)
  if (file === undefined) return
  const log = await openLog({ directory: newDirectory(), write: true })
  try {
    const { exchange } = await log.replay({ files: [file], ...(venue === undefined ? {} : { venue }) })
    const made = await log.bars({ exchange, intervals: ['1s', '1m', '5m'] })
    const bars: OracleBar[] = []
    for await (const record of log.records({ topics: [`market.*.ohlcv.${exchange}`] })) {
      if (record.type === 'bar') bars.push(oracleBar(record))
    }
    expect(bars.length).toBe(made)
    const { compared, unequal } = compareBars(name, bars)
    expect(unequal).toEqual([])
    expect(compared).toBeGreaterThan(0)
  } finally {
    await log.close()
  }
})

test.each(cases.slice(0, 3))('tickwire replay, tickwire read: %s', async (name, path, venue) => {
  const file = sharedData(path)
  if (file === undefined) return
  const data = newDirectory()
  const replayed = await cli(['replay', file, '--data', data, ...(venue === undefined ? [] : ['--venue', venue])])
  expect(replayed).toMatchObject({ code: 0, err: '' })
  const { exchange } = JSON.parse(replayed.out) as { exchange: string }
  const read = await cli(['read', `market.*.ohlcv.${exchange}`, '--data', data])
  expect(read).toMatchObject({ code: 0, err: '' })
  const records = read.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const { compared, unequal } = compareBars(name, records.filter((record) => record.type === 'bar').map(oracleBar))
  expect(unequal).toEqual([])
  expect(compared).toBeGreaterThan(0)
})
