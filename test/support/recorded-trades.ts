/**
 * Trades of the recordings behind the bar oracle, by slow obvious code that shares nothing with the decoders: what the
 * oracle's README says of order (messages that send the newest first are reversed) and of trades that are not live.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { scaled } from './record-writer.js'
import { sharedData } from './shared-data.js'

export interface RecordedTrade {
  readonly symbol: string
  readonly ns: bigint
  readonly price: string
  readonly size: string
}

const linesOf = (path: string): string[] => {
  const file = sharedData(path)
  if (file === undefined) throw new Error(`${path} is not here`)
  return gunzipSync(readFileSync(file)).toString('latin1').split('\n').filter(Boolean)
}
const ms = (value: number | string): bigint => BigInt(value) * 1_000_000n
/** RFC 3339 with up to nine digits of a second. */
const iso = (text: string): bigint => {
  const [, seconds = '', fraction = ''] = /^([^.Z]+)(?:\.(\d+))?Z$/.exec(text) ?? []
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}
type Json = Record<string, unknown>

/** cryptofeed: `seconds: payload`. Large integers are not needed here. */
const cryptofeed = (file: string): Json[] =>
  linesOf(`cryptofeed/${file}`)
    .filter((line) => /^\d+(\.\d+)?: [[{]/.test(line))
    .map((line) => JSON.parse(line.slice(line.indexOf(': ') + 2)) as Json)

const hft = (file: string) => (): RecordedTrade[] =>
  linesOf(`hftbacktest/${file}`)
    .map((line) => (JSON.parse(line.slice(line.indexOf(' ') + 1)) as { data?: Record<string, string> }).data)
    .filter((data) => data?.e === 'trade')
    .map((data) => ({ symbol: data?.s ?? '', ns: ms(data?.T ?? 0), price: data?.p ?? '', size: data?.q ?? '' }))

const aggTrades = (file: string) => (): RecordedTrade[] =>
  cryptofeed(file)
    .map((message) => (message as { data?: Record<string, string> }).data)
    .filter((data) => data?.e === 'aggTrade')
    .map((data) => ({ symbol: data?.s ?? '', ns: ms(data?.T ?? 0), price: data?.p ?? '', size: data?.q ?? '' }))

const asx = (company: string, take: (row: string[]) => boolean) => (): RecordedTrade[] =>
  linesOf(`asx/trades_${company}.csv.gz`)
    .map((line) => line.split(','))
    .filter(take)
    .map(([date = '', time = '', price = '', size = '']) => {
      const [month, day, year] = date.split('/')
      return { symbol: company, ns: ms(Date.parse(`${year}-${month}-${day}T${time}+11:00`)), price, size } // Sydney, summer.
    })

const newYorkMidnight = (date: string): bigint => ms(Date.parse(`${date}T00:00:00-04:00`)) // Summer.

const lean = (file: string, symbol: string, date: string) => (): RecordedTrade[] =>
  linesOf(`lean/equity_usa/${file}`)
    .map((line) => line.split(','))
    .filter((row) => row[5] === '0' && Number(row[2]) > 0)
    .map(([time = '', price = '', size = '']) => ({
      symbol,
      ns: newYorkMidnight(date) + ms(time),
      price: `${price.padStart(5, '0').slice(0, -4)}.${price.padStart(5, '0').slice(-4)}`,
      size,
    }))

const lobster = (): RecordedTrade[] =>
  linesOf('lobster/AAPL_2012-06-21_34200000_57600000_message_10.csv.gz')
    .map((line) => line.split(','))
    .filter((row) => row[1] === '4' || row[1] === '5')
    .map(([time = '', , , size = '', price = '']) => ({
      symbol: 'AAPL',
      ns: newYorkMidnight('2012-06-21') + scaled(time, -9),
      price: `${price.slice(0, -4)}.${price.slice(-4)}`,
      size,
    }))

const coinbase = (): RecordedTrade[] =>
  cryptofeed('COINBASE.ws.28.0.gz')
    .filter((m) => m.type === 'match')
    .map((m) => ({ symbol: String(m.product_id), ns: iso(String(m.time)), price: String(m.price), size: String(m.size) }))

const kraken = (): RecordedTrade[] =>
  cryptofeed('KRAKEN.ws.48.0.gz')
    .filter((m) => Array.isArray(m) && m[2] === 'trade')
    .flatMap((m) => {
      const [, trades, , symbol] = m as unknown as [number, string[][], string, string]
      return trades.map(([price = '', size = '', time = '']) => ({ symbol, ns: scaled(time, -9), price, size }))
    })

// Numbers of this venue are JSON numbers: their text is taken as it stands, because a double may not hold it.
const krakenV2 = (): RecordedTrade[] =>
  linesOf('flashbook/kraken_v2_live-btc-eth.ndjson.gz')
    .filter((line) => line.includes('"channel":"trade"') && line.includes('"type":"update"'))
    .flatMap((line) =>
      [...line.matchAll(/\{"symbol":[^}]*\}/g)].map(([trade]) => {
        const field = (name: string): string => new RegExp(`"${name}":"?([^",}]*)`).exec(trade)?.[1] ?? ''
        return { symbol: field('symbol'), ns: iso(field('timestamp')), price: field('price'), size: field('qty') }
      }),
    )

const dydx = (): RecordedTrade[] =>
  cryptofeed('DYDX.ws.1.0.gz')
    .filter((m) => m.type === 'channel_data' && m.channel === 'v3_trades')
    .flatMap((m) =>
      [...(m.contents as { trades: Record<string, string>[] }).trades].reverse().map((trade) => ({
        symbol: String(m.id),
        ns: iso(trade.createdAt ?? ''),
        price: trade.price ?? '',
        size: trade.size ?? '',
      })),
    )

/** By the oracle's name. */
export const recordedTrades: Readonly<Record<string, () => RecordedTrade[]>> = {
  binance_spot_btc_0808: hft('spot_btcusdt_20240808.gz'),
  binance_spot_btc_0809: hft('spot_btcusdt_20240809.gz'),
  binance_usdm_btc_0808: hft('usdm_btcusdt_20240808.gz'),
  binance_cm_btc_0808: hft('cm_btcusd_perp_20240808.gz'),
  cf_binance: aggTrades('BINANCE.ws.1.0.gz'),
  cf_binance_futures: aggTrades('BINANCE_FUTURES.ws.1.0.gz'),
  cf_coinbase: coinbase,
  cf_kraken: kraken,
  cf_dydx: dydx,
  kraken_v2: krakenV2,
  asx_7078_all: asx('7078', () => true),
  asx_7078_onbook: asx('7078', (row) => row[5] === ''),
  asx_7181_all: asx('7181', () => true),
  lobster_aapl: lobster,
  lean_ibm_20131008: lean('ibm_tick_trade_20131008.csv.gz', 'IBM', '2013-10-08'),
  lean_spy_20131007: lean('spy_tick_trade_20131007.csv.gz', 'SPY', '2013-10-07'),
}
