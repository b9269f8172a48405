/**
 * Feeds and the batcher: one call per frame or chunk goes in, batches in the log come out. Decoding runs on the calling
 * thread, appending on the batcher's own. A slow log fills the feed's ring, whose policy then decides: block, drop, conflate.
 */
import { addon } from './addon.js'
import type { NativeInstruments } from './instruments.js'

/** Where a record goes: data types of topic names that a batcher writes. */
export type FeedDataType = 'trades' | 'quotes' | 'tickers' | 'depth' | 'book' | 'ohlcv' | 'gaps' | 'status'

export interface Latency {
  readonly count: number
  /** Nanoseconds, to 6 %. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface BatcherOptions {
  /** A NativeLog. */
  readonly log: unknown
  readonly instruments: NativeInstruments
  /** Records of a batch, 1 … 4096; default 256. */
  readonly recordsMax?: number
  /** An open batch is written at this age even while records keep coming; default 1000. */
  readonly ageMaxUs?: number
  /** Process incarnation. */
  readonly origin?: bigint
}

export interface BatcherStats {
  readonly records: number
  readonly batches: number
  readonly bytes: number
  readonly clocks: number
  readonly gaps: number
  readonly unrouted: number
  readonly busy: number
  readonly diskFull: number
  readonly errors: number
  /** Records given up: the batcher was stopped while the log refused. */
  readonly lost: number
  /** What the log says right now. */
  readonly refusing: 'no' | 'busy' | 'diskFull' | 'error'
  readonly appendNs: Latency
  /** Receive time to appended, live feeds. */
  readonly totalNs: Latency
}

export interface NativeBatcher {
  /** The topic must exist in the log; throws when it does not. */
  addRoute(exchange: number, dataType: FeedDataType, topic: string, dedicated?: Readonly<Record<string, number>>): void
  start(): void
  /** Writes what the rings hold as long as the log takes it, and joins the thread. */
  stop(): void
  stats(): BatcherStats
}

/** As the native side numbers them. */
export const frameKind = { text: 1, binary: 2, rest: 3 } as const
export type FrameKind = (typeof frameKind)[keyof typeof frameKind]

export interface VenueOptions {
  /** Top-N image on each book change: 0 (none), 5, 10 or 20. */
  readonly depthLevels?: number
  readonly bookLevels?: boolean
  readonly trades?: boolean
  readonly quotes?: boolean
  readonly bars?: boolean
}

export interface FeedOptions {
  readonly batcher: NativeBatcher
  /** kite, dhan, binance, binance_usdm, binance_coinm, coinbase, kraken; none for files of records (DBN, CSV). */
  readonly venue?: string
  readonly venueOptions?: VenueOptions
  readonly exchange: number
  readonly source: number
  readonly shard?: number
  /** 0 or none: the unix second of the first receive time (replays). */
  readonly epoch?: number
  readonly policy: 'block' | 'drop' | 'conflate'
  readonly ringSlots?: number
  /** What this feed writes: where its clocks go. None: everything routed. */
  readonly dataTypes?: readonly FeedDataType[]
  readonly hasReceiveTimes?: boolean
  /** Receive times are this machine's wall time: latencies are measured. */
  readonly live?: boolean
  readonly sampled?: boolean
  /** Records go nowhere: to learn which instruments a recording names (stats().unknown). */
  readonly scan?: boolean
  /** Asked once per name that no addInstrument gave: the id it was registered under, or 0. */
  readonly onUnknown?: (venueSymbol: string) => number
}

export interface FeedStats {
  readonly frames: number
  readonly records: number
  readonly gaps: number
  readonly refused: number
  readonly conflated: number
  readonly clocks: number
  readonly suspect: number
  /** Records that the log held already (resumed replay). */
  readonly repeats: number
  readonly reasons: Readonly<Record<string, number>>
  /** Of the capture: lines and items that are no frames. */
  readonly skipped: Readonly<Record<string, number>>
  readonly unknown: readonly string[]
  readonly books: { readonly checks: number; readonly mismatches: number; readonly resyncs: number; readonly quarantined: number }
  readonly ring: {
    readonly capacity: number
    readonly depth: number
    readonly depthMax: number
    readonly pushed: number
    readonly blocked: number
  }
  readonly decodeNs: Latency
  readonly ringNs: Latency
  readonly recording: { readonly frames: number; readonly bytes: number; readonly error: string }
}

export interface NativeFeed {
  /** False: the instrument table does not hold the id. */
  addInstrument(id: number, venueSymbol: string, venueKey: number | bigint): boolean
  /** One frame; without a time it is now. */
  push(frame: Uint8Array, kind: FrameKind, tsRecvNs?: bigint): void
  pushRest(url: string, body: Uint8Array, tsRecvNs?: bigint): void
  /** Time passes without a frame: clocks that are due. Every 100 ms. */
  tick(nowNs?: bigint): void
  /** The connection was lost and is back: a higher epoch, which is answered. */
  reconnect(epoch: number): number
  takeRequests(): { kind: 'snapshot' | 'resubscribe'; venueSymbol: string }[]
  /** Raw frames and session openings from now on; throws when the file cannot be opened. */
  recordTo(file: string): void
  stopRecording(): void
  /** Instruments as text, into the recording before the frames that need them. Nothing when none runs. */
  recordListing(text: string): void
  /** Of a scanned recording: what it lists, in its order. */
  listings(): string[]
  /** A file of the recording; answers its lane. */
  addLane(format: CaptureFormat): number
  /** The next file holds records. `program`: what csv-options.ts compiled. */
  openSource(kind: 'dbn' | 'csv', program?: string): void
  /** Reads what the log holds of this source; those records are passed over. Answers how many. */
  resume(topics: readonly string[]): number
  /** Bytes used; the rest waits for room in the ring, or for its time. */
  chunk(lane: number, bytes: Uint8Array, last: boolean, untilNs?: bigint): number
  /** True: frames wait for room or for their time. */
  pump(untilNs?: bigint): boolean
  /** The lane that must be fed next; -1: none. */
  wants(): number
  /** Ends the source: gaps that wait, the final clock. False: no room yet, call again. */
  finish(): boolean
  /** No more frames; what is in the ring is still written. */
  stop(): void
  stats(): FeedStats
  /** Everything so far has been handed to the log. */
  readonly flushed: boolean
  readonly tsRecv: bigint
  /** Receive time of the next frame that waits in a merge; 0: none. */
  readonly nextTs: bigint
  readonly epoch: number
}

export type CaptureFormat = 'recorder' | 'lines' | 'cryptofeed' | 'ndjson' | 'frame'

const Batcher = addon.NativeBatcher as new (options: BatcherOptions) => NativeBatcher
const Feed = addon.NativeFeed as new (options: FeedOptions) => NativeFeed

export const createBatcher = (options: BatcherOptions): NativeBatcher => new Batcher(options)
export const createFeed = (options: FeedOptions): NativeFeed => new Feed(options)

/** From the first bytes of the unzipped file; undefined when they do not tell. */
export function detectCapture(firstBytes: Uint8Array): CaptureFormat | undefined {
  const name = (addon.detectCapture as (bytes: Uint8Array) => string)(firstBytes)
  return name === '' ? undefined : (name as CaptureFormat)
}

/** True: the DBN file's records carry no receive times. */
export const dbnLacksReceiveTimes = (firstBytes: Uint8Array): boolean =>
  (addon.dbnLacksReceiveTimes as (bytes: Uint8Array) => boolean)(firstBytes)
