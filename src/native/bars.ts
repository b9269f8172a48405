/** Bars as the native side computes them: the fold on the caller's thread. */
import { addon } from './addon.js'

export interface NativeBarSession {
  exchange: number
  openS: number
  closeS: number
  /** (unix second, offset in seconds) pairs, rising. */
  transitions: Float64Array
}

export interface NativeBarOptions {
  intervalsMs: readonly number[]
  /** Set of 1 << basis. */
  bases: number
  latenessNs: number
  partsIntervalMs: number
  partsBasis: number
  sessions: readonly NativeBarSession[]
}

/** Counted since the object was made; see native/bars/options.h for what each means. */
export interface BarStats {
  records: number
  ticks: number
  bars: number
  corrections: number
  late: number
  tooLate: number
  gaps: number
  clocks: number
  clocksRepeated: number
  repeats: number
  otherTypes: number
  offMarket: number
  suspect: number
  stale: number
  outsideSession: number
  badTime: number
  badValue: number
  overflow: number
  versionOverflow: number
  volumeResets: number
  misaligned: number
  refusedNodes: number
}

export interface NativeBarFold {
  /** Whole records one after the other, the first at log offset `offset`. The bars they made, 176 bytes each. */
  push(records: Uint8Array, offset: number, input: number): Buffer
  save(): Buffer
  /** Empty, or why the state was refused. */
  restore(state: Uint8Array): string
  stats(): BarStats
}

interface BarsAddon {
  NativeBarFold: new (options: NativeBarOptions) => NativeBarFold
}
const bars = addon as unknown as BarsAddon

export const createNativeBarFold = (options: NativeBarOptions): NativeBarFold => new bars.NativeBarFold(options)
