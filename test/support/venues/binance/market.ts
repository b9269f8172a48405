/**
 * A seeded market of several symbols: an order book each, orders that arrive and trade. Prices are integers in ticks, sizes
 * integers in steps; only the messages spell them as decimals. Reads nothing but its random numbers; advancing is the caller's.
 */
import { SeededRandom } from '../random.js'

export interface SymbolSpec {
  readonly symbol: string
  /** Digits after the point of prices and of quantities. */
  readonly priceDigits: number
  readonly sizeDigits: number
  /** First mid price, in ticks. */
  readonly startTicks: number
}

export interface MarketTrade {
  readonly symbol: SymbolSpec
  readonly id: number
  readonly priceTicks: number
  readonly size: number
  readonly buyerIsMaker: boolean
  readonly timeMs: number
}

export interface LevelChange {
  readonly priceTicks: number
  readonly size: number
}

type Side = 'bids' | 'asks'
const LEVELS = 40

export class SymbolMarket {
  readonly spec: SymbolSpec
  readonly bids = new Map<number, number>()
  readonly asks = new Map<number, number>()
  updateId: number
  tradeId: number
  readonly changed = { bids: new Map<number, number>(), asks: new Map<number, number>() }
  #bestBid: number
  #bestAsk: number
  readonly #random: SeededRandom

  constructor(spec: SymbolSpec, seed: number) {
    this.spec = spec
    this.#random = new SeededRandom(seed)
    this.updateId = 1_000_000 + this.#random.integer(0, 999_999)
    this.tradeId = 500_000 + this.#random.integer(0, 99_999)
    this.#bestBid = spec.startTicks
    this.#bestAsk = spec.startTicks + 1
    for (let i = 0; i < LEVELS; i++) {
      this.bids.set(this.#bestBid - i, this.#size())
      this.asks.set(this.#bestAsk + i, this.#size())
    }
  }

  get bestBid(): { priceTicks: number; size: number } {
    return { priceTicks: this.#bestBid, size: this.bids.get(this.#bestBid) ?? 0 }
  }
  get bestAsk(): { priceTicks: number; size: number } {
    return { priceTicks: this.#bestAsk, size: this.asks.get(this.#bestAsk) ?? 0 }
  }

  /** One event: a limit order, a cancel or a market order. Returns the trade it made, if any. */
  step(timeMs: number): MarketTrade | undefined {
    const kind = this.#random.next()
    if (kind < 0.4) return this.#trade(timeMs)
    const side: Side = this.#random.chance(0.5) ? 'bids' : 'asks'
    const depth = Math.floor(this.#random.next() ** 2 * 12)
    const inside = kind > 0.93 && this.#bestAsk - this.#bestBid > 1
    const best = side === 'bids' ? this.#bestBid : this.#bestAsk
    const away = side === 'bids' ? -1 : 1
    this.#set(side, inside ? best - away : best + away * depth, this.#size())
    this.#settle()
    return undefined
  }

  /** Trades flat out: the demo's way to overflow a ring. */
  tradeNow(timeMs: number): MarketTrade {
    return this.#trade(timeMs)
  }

  #size(): number {
    return this.#random.integer(1, 40) * this.#random.integer(1, 400)
  }

  #set(side: Side, priceTicks: number, size: number): void {
    if (priceTicks <= 0) return
    if (size === 0) this[side].delete(priceTicks)
    else this[side].set(priceTicks, size)
    this.changed[side].set(priceTicks, size)
    this.updateId += 1
  }

  #trade(timeMs: number): MarketTrade {
    const buyerIsMaker = this.#random.chance(0.5)
    const side: Side = buyerIsMaker ? 'bids' : 'asks'
    const priceTicks = buyerIsMaker ? this.#bestBid : this.#bestAsk
    const available = this[side].get(priceTicks) ?? 1
    const size = Math.min(available, this.#size())
    this.#set(side, priceTicks, available - size)
    this.#settle()
    this.tradeId += 1
    return { symbol: this.spec, id: this.tradeId, priceTicks, size, buyerIsMaker, timeMs }
  }

  /** Finds the best prices again and keeps the book populated on both sides of them. */
  #settle(): void {
    while (!this.bids.has(this.#bestBid + 0) || this.bids.has(this.#bestBid + 1)) {
      if (this.bids.has(this.#bestBid + 1)) this.#bestBid += 1
      else if (this.bids.size === 0 || this.#bestBid <= 1) this.#set('bids', this.#bestBid, this.#size())
      else this.#bestBid -= 1
    }
    while (!this.asks.has(this.#bestAsk) || this.asks.has(this.#bestAsk - 1)) {
      if (this.asks.has(this.#bestAsk - 1)) this.#bestAsk -= 1
      else if (this.asks.size === 0) this.#set('asks', this.#bestAsk, this.#size())
      else this.#bestAsk += 1
    }
    // The market follows its trades: a gap of more than three ticks is closed from the side that was not hit.
    if (this.#bestAsk - this.#bestBid > 3) {
      if (this.#random.chance(0.5)) this.#set('bids', this.#bestBid + 1, this.#size())
      else this.#set('asks', this.#bestAsk - 1, this.#size())
      return this.#settle()
    }
    const far = (side: Side, from: number, step: number) => {
      for (let i = 0; i < LEVELS; i++)
        if (!this[side].has(from + step * i) && this.#random.chance(0.02)) this.#set(side, from + step * i, this.#size())
    }
    far('bids', this.#bestBid, -1)
    far('asks', this.#bestAsk, 1)
  }

  /** Levels best first. */
  levels(side: Side, limit: number): LevelChange[] {
    const sign = side === 'bids' ? -1 : 1
    return [...this[side]]
      .sort((a, b) => sign * (a[0] - b[0]))
      .slice(0, limit)
      .map(([priceTicks, size]) => ({ priceTicks, size }))
  }

  /** What changed since the last call. */
  takeChanges(): { bids: LevelChange[]; asks: LevelChange[] } {
    const take = (side: Side) => {
      const changes = [...this.changed[side]].map(([priceTicks, size]) => ({ priceTicks, size }))
      this.changed[side].clear()
      return changes
    }
    return { bids: take('bids'), asks: take('asks') }
  }
}

/** An integer of the smallest unit as the venue's decimal text, all digits kept: (6183763, 2) → "61837.63". */
export function spell(value: number, digits: number, padTo = digits): string {
  const text = value.toString().padStart(digits + 1, '0')
  const whole = text.slice(0, text.length - digits)
  const fraction = text.slice(text.length - digits).padEnd(padTo, '0')
  return padTo === 0 ? whole : `${whole}.${fraction}`
}

export const defaultSymbols: readonly SymbolSpec[] = [
  { symbol: 'BTCUSDT', priceDigits: 2, sizeDigits: 5, startTicks: 6_183_763 },
  { symbol: 'ETHUSDT', priceDigits: 2, sizeDigits: 4, startTicks: 268_412 },
  { symbol: 'SOLUSDT', priceDigits: 2, sizeDigits: 3, startTicks: 15_532 },
  { symbol: 'BNBUSDT', priceDigits: 2, sizeDigits: 3, startTicks: 51_890 },
  { symbol: 'XRPUSDT', priceDigits: 4, sizeDigits: 1, startTicks: 5_924 },
  { symbol: 'DOGEUSDT', priceDigits: 5, sizeDigits: 0, startTicks: 10_231 },
]
