/**
 * Binance, what its names mean: symbols, streams, the instrument master. Source: developers.binance.com, "Spot API",
 * "USDⓈ-M Futures" and "COIN-M Futures"; the three differ in hosts and paths only.
 */
import { z } from 'zod'
import type { AdapterOptions, ListedInstrument } from '../types.js'

export interface BinanceMarket {
  readonly exchange: 'binance' | 'binance_usdm' | 'binance_coinm'
  readonly streamUrl: string
  readonly restUrl: string
  readonly restPath: string
  readonly depthLimit: number
}

export const binanceMarkets: Readonly<Record<BinanceMarket['exchange'], BinanceMarket>> = {
  binance: {
    exchange: 'binance',
    streamUrl: 'wss://stream.binance.com:9443',
    restUrl: 'https://api.binance.com',
    restPath: '/api/v3',
    depthLimit: 1000,
  },
  binance_usdm: {
    exchange: 'binance_usdm',
    streamUrl: 'wss://fstream.binance.com',
    restUrl: 'https://fapi.binance.com',
    restPath: '/fapi/v1',
    depthLimit: 1000,
  },
  binance_coinm: {
    exchange: 'binance_coinm',
    streamUrl: 'wss://dstream.binance.com',
    restUrl: 'https://dapi.binance.com',
    restPath: '/dapi/v1',
    depthLimit: 1000,
  },
}

const channelStreams = { trades: ['trade'], quotes: ['bookTicker'], book: ['depth@100ms'], bars: ['kline_1m'] } as const

/** Stream names of one symbol: `btcusdt@trade`, `btcusdt@bookTicker`… */
export function streamsOf(symbol: string, channels: AdapterOptions['channels']): string[] {
  return channels.flatMap((channel) => channelStreams[channel].map((stream) => `${symbol.toLowerCase()}@${stream}`))
}

const exchangeInfo = z.object({
  symbols: z.array(z.looseObject({ symbol: z.string(), filters: z.array(z.looseObject({ filterType: z.string() })) })),
})

/** Digits after the point of a step such as "0.01000000"; negative for steps of tens. */
export function stepExponent(step: string): number {
  if (!/^\d+(\.\d+)?$/.test(step) || /^[0.]+$/.test(step)) throw new Error(`not a step size: ${JSON.stringify(step)}`)
  const [whole = '', fraction = ''] = step.split('.')
  const significant = fraction.replace(/0+$/, '')
  if (significant !== '') return -significant.length
  return whole.length - whole.replace(/0+$/, '').length
}

// Two decimals finer than the venue's tick, so that a tick that gets finer needs no new instrument; never finer than
// 10^-10, so that a meme coin's daily volume still fits 63 bits.
const finer = (exponent: number): number => Math.max(Math.min(exponent, 0) - 2, -10)

/** The instruments of an exchangeInfo answer. Throws with the field that is wrong. */
export function readExchangeInfo(body: string): ListedInstrument[] {
  const info = exchangeInfo.parse(JSON.parse(body))
  return info.symbols.map((listed) => {
    const filter = (type: string, field: string): string => {
      const value = listed.filters.find((entry) => entry.filterType === type)?.[field]
      if (typeof value !== 'string') throw new Error(`exchangeInfo: ${listed.symbol} has no ${type}.${field}`)
      return value
    }
    const tickSize = filter('PRICE_FILTER', 'tickSize')
    const lotSize = filter('LOT_SIZE', 'stepSize')
    return {
      symbol: listed.symbol,
      venueSymbol: listed.symbol,
      priceExponent: finer(stepExponent(tickSize)),
      sizeExponent: finer(stepExponent(lotSize)),
      tickSize,
      lotSize,
    }
  })
}
