/**
 * Looking after a log directory: verify, measure, trim, retain, compact. Each call is one pass on the thread pool; it works
 * while other processes, or this one, append to and follow the log. Offsets and times are bigint, counts are numbers.
 */
import { addon } from './addon.js'
import type { NativeLog } from './log.js'

export interface JournalProgress {
  bytesDone: number
  bytesTotal: number
  messages: number
  records: number
}

/** A damaged stretch: which offsets are lost, and where it lies. */
export interface JournalDamage {
  topic: string
  partition: number
  fromOffset: bigint
  toOffset: bigint
  file: string
  filePosition: number
}

export interface VerifyReport {
  topics: number
  partitions: number
  messages: number
  /** Records of batches. */
  records: number
  /** Opaque messages. */
  opaque: number
  /** Of values. */
  bytes: number
  streams: number
  /** Records not above the last of their stream: every reader drops them. */
  repeats: number
  /** Whole messages whose value is no batch of a known type. */
  badBatches: number
  damageCount: number
  offsetsLost: bigint
  /** The first 1,000. */
  damages: JournalDamage[]
  /** The record hash, when asked for. */
  hash?: string
}

export interface PartitionUsage {
  topic: string
  partition: number
  beginOffset: bigint
  endOffset: bigint
  /** Written. */
  bytes: number
  /** Taken on the disk, preallocation included. */
  diskBytes: number
  segments: number
  tsRecvNewest: bigint
}

/** Records a durable group had not committed when the byte budget deleted them; a gap record stands for them. */
export interface RetentionLoss {
  topic: string
  partition: number
  instrumentId: number
  type: number
  source: number
  epoch: number
  seq: number
  count: number
}

export interface DeletionReport {
  segments: number
  bytes: number
  lost: RetentionLoss[]
}

export interface CompactionReport {
  segmentsBefore: number
  segmentsAfter: number
  bytesBefore: number
  bytesAfter: number
  messagesDropped: number
  tombstonesDropped: number
}

export interface VerifyOptions {
  /** Default: all. */
  topics?: string[]
  /** Also compute the record hash; topics of gap copies are left out unless named. */
  hash?: boolean
  /** Records of earlier feed sessions do not count in the hash: what stood in a shared log before. */
  epochMin?: number
}

export interface TrimOptions {
  topic: string
  partition: number
  beforeOffset?: bigint | number
  /** Nanoseconds. */
  beforeTsRecv?: bigint
}

/** The lowest offset that some durable group has not committed. */
export interface NeededOffset {
  topic: string
  partition: number
  offset: bigint | number
}

interface JournalAddon {
  journalVerify(
    log: string | NativeLog,
    options: VerifyOptions,
    onProgress?: (progress: JournalProgress) => void,
  ): Promise<VerifyReport>
  journalUsage(directory: string): Promise<PartitionUsage[]>
  journalTrim(directory: string, options: TrimOptions): Promise<DeletionReport>
  journalRetain(directory: string, needed: NeededOffset[]): Promise<DeletionReport>
  journalCompact(directory: string, topic: string, partition: number): Promise<CompactionReport>
}
const journal = addon as unknown as JournalAddon

/** Of a directory, or of an open log of any engine: CRC of every message, order of offsets, (epoch, seq) per stream, and the record hash. Reads only. */
export const verifyLog = (
  log: string | NativeLog,
  options: VerifyOptions = {},
  onProgress?: (progress: JournalProgress) => void,
): Promise<VerifyReport> => journal.journalVerify(log, options, onProgress)

/** What each partition holds and takes. Reads only. */
export const logUsage = (directory: string): Promise<PartitionUsage[]> => journal.journalUsage(directory)

/** Deletes whole closed segments that lie before the offset or the time. The segment being written stays. */
export const trimLog = (directory: string, options: TrimOptions): Promise<DeletionReport> =>
  journal.journalTrim(directory, options)

/** Applies every topic's retention once. */
export const retainLog = (directory: string, needed: NeededOffset[] = []): Promise<DeletionReport> =>
  journal.journalRetain(directory, needed)

/** Keeps the newest message of each key in the closed segments of a compacted topic. */
export const compactLog = (directory: string, topic: string, partition: number): Promise<CompactionReport> =>
  journal.journalCompact(directory, topic, partition)
