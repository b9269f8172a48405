import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { readMaster } from '../../../src/adapters/masters.js'
import { cli } from '../../support/cli.js'
import { sharedData } from '../../support/shared-data.js'

const KITE = `instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,segment,exchange
408065,1594,INFY,INFOSYS,0,,0,0.05,1,EQ,NSE,NSE
256265,1001,NIFTY 50,NIFTY 50,0,,0,0,0,EQ,INDICES,NSE
1,1,NIFTY26NOV24500CE,"NIFTY",0,2026-11-26,24500,0.05,75,CE,NFO-OPT,NFO
2,1,NIFTY26NOVFUT,NIFTY,0,2026-11-26,0,0.05,75,FUT,NFO-FUT,NFO
3,1,X,X,0,2026-13-26,1,0.05,75,CE,NFO-OPT,NFO
x,1,Y,Y,0,,0,0.05,1,EQ,NSE,NSE
4,1,Z,Z,0,,0,0.05,1,EQ,NASDAQ,NASDAQ
`

test('Kite: shares, indices, derivatives by our names; what cannot be named is counted', () => {
  const { rows, skipped } = readMaster('kite', KITE, 'k.csv')
  expect(rows.map((r) => [r.exchange, r.listing.symbol, r.listing.kind, r.venueKey])).toEqual([
    ['nse', 'INFY', 'equity', 408065n],
    ['nse', 'NIFTY-50', 'index', 256265n],
    ['nfo', 'NIFTY-20261126-24500-C', 'option', 1n],
    ['nfo', 'NIFTY-20261126-F', 'future', 2n],
  ])
  expect(skipped).toBe(3)
  expect(() => readMaster('kite', 'a,b\n1,2', 'k.csv')).toThrow(/names no instrument_token/)
  expect(() => readMaster('dhan', KITE, 'k.csv')).toThrow(/this is no dhan master/)
})

test('the masters that are recorded', () => {
  for (const [venue, file, least] of [
    ['kite', 'kite/instruments/kite_instruments_nfo_nse_bse_2024.csv.gz', 30_000],
    ['dhan', 'dhan/instruments/api-scrip-master_nse_eq_2025-08.csv.gz', 7_000],
    ['dhan', 'dhan/instruments/api-scrip-master-detailed_nse_eq_idx_2026-04.csv.gz', 7_000],
  ] as const) {
    const path = sharedData(file)
    if (path === undefined) continue
    const { rows, skipped } = readMaster(venue, gunzipSync(readFileSync(path)).toString(), file)
    console.log(`${file}: ${rows.length} instruments, ${skipped} rows passed over`)
    expect(rows.length).toBeGreaterThan(least)
    expect(new Set(rows.map((r) => `${r.exchange} ${r.listing.symbol}`)).size).toBe(rows.length)
  }
})

test('decode: packets and records of a recorded Kite frame', async () => {
  const frame = sharedData('kite/cppkiteconnect/websocket_ticks.bin')
  const master = sharedData('kite/instruments/kite_instruments_nfo_nse_bse_2024.csv.gz')
  if (frame === undefined || master === undefined) return
  const packets = await cli(['decode', 'kite', frame])
  expect(packets.code).toBe(0)
  expect(packets.out.trim().split('\n')).toHaveLength(2)
  const records = await cli(['decode', 'kite', frame, '--records', '--master', master])
  expect(records).toMatchObject({ code: 0 })
  const tickers = records.out
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l) as Record<string, unknown>)
    .filter((r) => r.type === 'ticker')
  expect(tickers.map((t) => [t.symbol, t.last_price])).toEqual([
    ['INFY', '1299.05'],
    ['TCS', '3209.4'],
  ])
  expect((await cli(['decode', 'kite', frame, '--records'])).code).toBe(2)
})
