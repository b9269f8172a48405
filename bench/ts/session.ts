/** A Binance session as a capture of `localNanoseconds SPACE json` lines: trades, quotes and depth of a seeded market. */
import { writeFileSync } from 'node:fs'
import { defaultSymbols, SymbolMarket, spell } from '../../test/support/venues/binance/market.js'

/** Writes about `lines` lines; returns how many are trades. */
export function writeSession(file: string, lines: number): { lines: number; trades: number } {
  const markets = defaultSymbols.map((spec, i) => new SymbolMarket(spec, 77 + i))
  for (const market of markets) market.takeChanges()
  const out: string[] = []
  let trades = 0
  let ns = 1_723_161_255_000_000_000n
  let step = 0
  while (out.length < lines) {
    const market = markets[step++ % markets.length] as SymbolMarket
    const { spec } = market
    ns += 400_000n
    const ms = Number(ns / 1_000_000n)
    const price = (ticks: number) => spell(ticks, spec.priceDigits, 8)
    const size = (steps: number) => spell(steps, spec.sizeDigits, 8)
    const stream = spec.symbol.toLowerCase()
    const trade = market.step(ms)
    if (trade !== undefined) {
      trades += 1
      out.push(
        `${ns} {"stream":"${stream}@trade","data":{"e":"trade","E":${ms},"s":"${spec.symbol}","t":${trade.id},"p":"${price(trade.priceTicks)}","q":"${size(trade.size)}","T":${ms},"m":${trade.buyerIsMaker},"M":true}}`,
      )
    }
    const bid = market.bestBid
    const ask = market.bestAsk
    out.push(
      `${ns} {"stream":"${stream}@bookTicker","data":{"u":${market.updateId},"s":"${spec.symbol}","b":"${price(bid.priceTicks)}","B":"${size(bid.size)}","a":"${price(ask.priceTicks)}","A":"${size(ask.size)}"}}`,
    )
  }
  writeFileSync(file, `${out.join('\n')}\n`)
  return { lines: out.length, trades }
}
