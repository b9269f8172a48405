/** The embedded log as the addon gives it: statuses as numbers, events as rows of numbers. src/log makes an interface of it. */
import { addon } from './addon.js'

/** In the order of tw::journal::Status. */
export const logStatuses = [
  'ok',
  'end',
  'busy',
  'diskFull',
  'tooLarge',
  'skipped',
  'expired',
  'notFound',
  'invalid',
  'fenced',
  'closed',
  'ioError',
  'pending',
] as const
export type LogStatus = (typeof logStatuses)[number]
export const logStatus = (code: number): LogStatus => logStatuses[code] ?? 'ioError'

export interface NativeTopic {
  readonly name: string
  readonly partitions: number
  readonly segmentBytes: number
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly compact: boolean
}

export interface NativePartition {
  readonly beginOffset: number
  readonly endOffset: number
  readonly bytes: number
  readonly segments: number
  readonly tsRecvNewest: bigint
}

declare const engineBrand: unique symbol
/** A log engine on its way from one addon to the other; shows nothing. */
export interface NativeEngine {
  readonly [engineBrand]: true
}

/**
 * Pass it to whatever native part works on the log (LogOf in native/addon/handles.h). A call whose name ends in Async runs on a
 * thread made for it (native/addon/async_call.h): an engine on a network answers the others as well, and holds the event loop meanwhile.
 */
export interface NativeLog {
  readonly id: string
  readonly directory: string
  ensureTopic(options: Partial<NativeTopic> & { readonly name: string }): number
  topics(): NativeTopic[]
  /** How many the topic has; undefined: there is no such topic. */
  partitions(topic: string): number | undefined
  describe(topic: string, partition: number): NativePartition | undefined
  committed(group: string, topic: string, partition: number): number | undefined
  /** The lowest offset a durable group still needs: retention passes over it. */
  durableFloor(topic: string, partition: number): number | undefined
  ensureTopicAsync(options: Partial<NativeTopic> & { readonly name: string }): Promise<number>
  topicsAsync(): Promise<NativeTopic[]>
  describeAsync(topic: string, partition: number): Promise<NativePartition | undefined>
  committedAsync(group: string, topic: string, partition: number): Promise<number | undefined>
  /** This log for another addon, which keeps it open as long as it works on it. */
  engine(): NativeEngine
}

export interface NativeLogOptions {
  readonly durability?: 0 | 1 | 2
  readonly syncIntervalMs?: number
  readonly readOnly?: boolean
}

export interface NativeAppender {
  readonly status: number
  /** Of the last append. */
  readonly offset: number
  append(kind: 1 | 2, key: string, value: Uint8Array, tsRecv: bigint | number): number
  appendAsync(kind: 1 | 2, key: string, value: Uint8Array, tsRecv: bigint | number): Promise<[status: number, offset: number]>
  sync(): number
  close(): void
}

/** kind: 0 begin, 1 end, 2 offset, 3 time (ts_recv), 4 epoch << 32 | seq. */
export interface NativePlace {
  readonly kind: 0 | 1 | 2 | 3 | 4
  readonly value?: bigint | number
}

export interface NativeRange {
  readonly topic: number
  readonly partition: number
  readonly from: NativePlace
  readonly to?: NativePlace
  readonly follow: boolean
}

export interface NativeConsumerOptions {
  readonly topics: readonly string[]
  /** Over a SharedArrayBuffer, which cannot be detached under the native thread. */
  readonly slab: Uint8Array
  readonly cellBytes: number
  readonly rows: Float64Array
  readonly onWake: () => void
  readonly heartbeatMs?: number
  readonly from?: NativePlace
  readonly ranges?: readonly NativeRange[]
  readonly group?: { readonly name: string; readonly durable?: boolean; readonly hungMs?: number }
}

/** Columns of an event's row, in the order native/addon/log_consume.cc writes them. */
export const row = {
  kind: 0,
  topic: 1,
  partition: 2,
  generation: 3,
  offset: 4,
  /** Messages: how many offsets it takes. Skipped and expired: the first offset behind the hole. */
  count: 5,
  messageKind: 6,
  position: 7,
  valueSize: 8,
  keySize: 9,
  cell: 10,
  freesCell: 11,
  status: 12,
  large: 13,
  width: 14,
} as const

export const eventKind = { message: 0, assigned: 1, revoked: 2, lost: 3, skipped: 4, expired: 5, end: 6, failed: 7 } as const

export interface NativeConsumer {
  start(): void
  stop(): void
  drain(): number
  takeLarge(index: number): Uint8Array | undefined
  freeCell(cell: number): void
  released(topic: number, partition: number, generation: number): void
  commit(topic: number, partition: number, generation: number, offset: number): number
  check(topic: number, partition: number, generation: number): number
  endOffset(topic: number, partition: number): number
}

interface LogAddon {
  encodeBatch(type: number, records: Uint8Array, tsAppend: bigint): Uint8Array
  NativeLog: {
    new (directory: string, options: NativeLogOptions): NativeLog
    new (engine: NativeEngine): NativeLog
  }
  NativeAppender: new (log: NativeLog, topic: string, partition: number) => NativeAppender
  NativeConsumer: new (log: NativeLog, options: NativeConsumerOptions) => NativeConsumer
}
const log = addon as unknown as LogAddon

/** Opens or makes the directory; throws an Error that says why it cannot. */
export const openNativeLog = (directory: string, options: NativeLogOptions): NativeLog => new log.NativeLog(directory, options)
/** The log of an engine that another addon made; throws an Error when the two were not built from one commit. */
export const adoptNativeLog = (engine: NativeEngine): NativeLog => new log.NativeLog(engine)
export const openNativeAppender = (from: NativeLog, topic: string, partition: number): NativeAppender =>
  new log.NativeAppender(from, topic, partition)
export const openNativeConsumer = (from: NativeLog, options: NativeConsumerOptions): NativeConsumer =>
  new log.NativeConsumer(from, options)
/** A batch message of whole records of one type; throws a TypeError when the bytes are not that. */
export const encodeBatch = (type: number, records: Uint8Array, tsAppend: bigint): Uint8Array =>
  log.encodeBatch(type, records, tsAppend)
