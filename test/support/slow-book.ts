/**
 * Books by slow obvious code: from level records of a log, one Map a side, and from a recorded Binance session the best bid
 * and ask that the venue itself told for update ids at which a depth update ended.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { type BatchView, fieldsOf, layout } from '../../src/wire/index.js'

export interface Best {
  readonly bid: string
  readonly bidSize: string
  readonly ask: string
  readonly askSize: string
}

const plain = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

/** By update id: what bookTicker said, for each id at which a depth update ends and which is not older than the first snapshot. */
export function recordedBests(files: readonly string[]): Map<number, Best> {
  const tickers = new Map<number, Best>()
  const ends = new Set<number>()
  let snapshot = Number.POSITIVE_INFINITY
  for (const file of files) {
    for (const line of gunzipSync(readFileSync(file)).toString('latin1').split('\n')) {
      if (line === '') continue
      const message = JSON.parse(line.slice(line.indexOf(' ') + 1)) as Record<string, unknown>
      if (typeof message.lastUpdateId === 'number') snapshot = Math.min(snapshot, message.lastUpdateId)
      const data = (message.data ?? {}) as Record<string, unknown>
      const { u, b, B, a, A } = data as { u: number; b: string; B: string; a: string; A: string }
      if (data.e === 'depthUpdate') ends.add(u)
      else if (typeof b === 'string') tickers.set(u, { bid: plain(b), bidSize: plain(B), ask: plain(a), askSize: plain(A) })
    }
  }
  return new Map([...tickers].filter(([id]) => ends.has(id) && id >= snapshot).sort(([a], [b]) => a - b))
}

const { level_action: actions, book_side: sides } = layout.enums

export class SlowBook {
  readonly #bids = new Map<bigint, bigint>()
  readonly #asks = new Map<bigint, bigint>()

  /** One level record. */
  take(view: BatchView, index: number): void {
    const fields = fieldsOf('level')
    const number = (name: string): number => view.number(fields[name] as never, index)
    const big = (name: string): bigint => view.big(fields[name] as never, index)
    const action = number('action')
    if (action === actions.clear) {
      this.#bids.clear()
      this.#asks.clear()
      return
    }
    const side = number('side') === sides.bid ? this.#bids : this.#asks
    if (action === actions.delete) side.delete(big('price'))
    else side.set(big('price'), big('size'))
  }

  get best(): readonly [bid: bigint, bidSize: bigint, ask: bigint, askSize: bigint] {
    let bid: bigint | undefined
    let ask: bigint | undefined
    for (const price of this.#bids.keys()) if (bid === undefined || price > bid) bid = price
    for (const price of this.#asks.keys()) if (ask === undefined || price < ask) ask = price
    return [bid ?? 0n, this.#bids.get(bid ?? 0n) ?? 0n, ask ?? 0n, this.#asks.get(ask ?? 0n) ?? 0n]
  }
}
