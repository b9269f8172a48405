/** Bars as the native side computes them: the fold on the caller's thread. */
import { addon } from './addon.js'
import type { NativeLog } from './log.js'

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

export interface BarLaneStats {
  topic: string
  partition: number
  messages: number
  records: number
  badBatches: number
  /** Of the newest 64 of them. */
  badOffsets: number[]
  logHoles: number
  appended: number
  /** Bars not appended because they stood in the output before a restart. */
  suppressed: number
  busy: number
  diskFull: number
  snapshots: number
  snapshotsRefused: number
  snapshotBytes: number
  restoredAt: number
  /** Next input offset, and the input's end when last looked at. */
  position: number
  end: number
  watermarkMs: number
  instruments: number
  bars: BarStats
}

export interface BarProcessorStats {
  state: 'new' | 'running' | 'stopped' | 'failed'
  error: string
  /** The log does not take the bars now (busy, or the disk is full); reading waits, nothing is dropped. */
  blocked: boolean
  lanes: BarLaneStats[]
}

export interface NativeBarProcessorOptions extends NativeBarOptions {
  name: string
  inputs: readonly string[]
  output: string
  group: string
  partitions?: readonly number[]
  batchRecords?: number
  snapshotNs?: number
  origin?: number
}

export interface NativeBars {
  /** Empty, or why it does not start. */
  start(): string
  /** Bars of what was read are appended, state is written, the thread is joined. */
  stop(): void
  stats(): BarProcessorStats
}

export const createNativeBars = (log: NativeLog, options: NativeBarProcessorOptions): NativeBars =>
  new (addon.NativeBars as new (log: NativeLog, options: NativeBarProcessorOptions) => NativeBars)(log, options)
