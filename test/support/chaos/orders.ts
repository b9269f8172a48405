/** What the processes of the crash suite are told, and what they tell: lines of an append-only tap file, one per process. */
import { defaultSymbols, type SymbolSpec } from '../venues/binance/market.js'

export const trades = 'market.crypto.trades.binance'
export const gaps = 'market.crypto.gaps.binance'
export const bars = 'market.crypto.ohlcv.binance'
export const exchange = 'binance'
export const consumerGroup = 'auditor'
export const barsName = 'bars'
export const partitions = 2
export const barIntervals = ['1s', '5s', '1m'] as const
/** Log time runs this much faster than the clock, so that bars close and snapshots happen between two kills. */
export const TIME_FACTOR = 50

export const symbolsOf = (shard: number): readonly SymbolSpec[] => defaultSymbols.filter((_, index) => index % 2 === shard)
/** The registry of the suite: an instrument's ordinal is its place in the list. */
export const instrumentOf = (exchangeNumber: number, symbol: SymbolSpec): number =>
  exchangeNumber * 0x100_0000 + defaultSymbols.indexOf(symbol) + 1
export const PRICE_EXTRA_DIGITS = 2

/** Handlers refuse every such trade for good… */
export const isPoison = (tradeId: number): boolean => tradeId % 97 === 0
/** …and these once per process. */
export const isShaky = (tradeId: number): boolean => tradeId % 89 === 0

export interface Orders {
  readonly role: 'ingest' | 'bars' | 'consume'
  readonly directory: string
  readonly tap: string
  readonly seed: number
  readonly shard: number
  /** Wall ms at which log time began. */
  readonly startedMs: number
}

/** [instrument, seq, trade id, price, size], in the record's integers. */
export type ProducedRow = readonly [instrument: number, seq: number, tradeId: number, price: number, size: number]

export type TapLine =
  /** A session is open: its status record is in the log. */
  | { readonly k: 'session'; readonly shard: number; readonly epoch: number }
  /** Written before the burst is pushed. */
  | { readonly k: 'burst'; readonly epoch: number; readonly burst: number; readonly rows: readonly ProducedRow[] }
  /** The log has everything up to this burst, as records or as gap records. */
  | { readonly k: 'ack'; readonly epoch: number; readonly burst: number; readonly refused: number }
  | { readonly k: 'assigned'; readonly partition: number; readonly generation: number; readonly offset: number }
  | { readonly k: 'committed'; readonly partition: number; readonly generation: number; readonly offset: number }
  /** A batch stands: these indices failed. */
  | {
      readonly k: 'batch'
      readonly partition: number
      readonly generation: number
      readonly offset: number
      readonly count: number
      readonly failed: readonly number[]
    }
  /** A retried record stands. */
  | { readonly k: 'retried'; readonly partition: number; readonly offset: number; readonly index: number }
  | { readonly k: 'hole'; readonly partition: number; readonly from: number; readonly to: number; readonly reason: string }
  | { readonly k: 'note'; readonly text: string }
