/** What a log is, whichever engine keeps it. */
import type { Clock, RetryClass } from '../core/index.js'
import type { NativeLog } from '../native/log.js'
import type { BatchView } from '../wire/index.js'
import type { DeadLetter } from './dead-letter.js'

export type { DeadLetter, LetterState, ReplayPlan } from './dead-letter.js'

export type MessageKind = 'batch' | 'opaque'

/** Refusals of an append. `diskFull` and `busy` may pass; the others will not. */
export type AppendStatus = 'ok' | 'busy' | 'diskFull' | 'tooLarge' | 'notFound' | 'invalid' | 'fenced' | 'closed' | 'ioError'

export interface AppendResult {
  readonly status: AppendStatus
  /** Of the first record. */
  readonly offset: number
}

export interface AppendMessage {
  readonly kind: MessageKind
  readonly key?: string
  readonly value: Uint8Array
  /** ns UTC. Time index and retention's clock. Of a batch it is read from its records; of an opaque message: now. */
  readonly tsRecv?: bigint
}

export interface TopicOptions {
  readonly name: string
  readonly partitions?: number
  readonly segmentBytes?: number
  /** -1: forever. */
  readonly retentionMs?: number
  /** Per partition; -1: no budget. */
  readonly retentionBytes?: number
  readonly compact?: boolean
}
export type Topic = Required<TopicOptions>

export interface PartitionInfo {
  readonly beginOffset: number
  readonly endOffset: number
  readonly bytes: number
  readonly segments: number
  readonly tsRecvNewest: bigint
}

/**
 * Where to start or stop. A stop is exclusive. Messages are whole: the one that holds the place is delivered from its first
 * record, so a reader that wants an exact record compares.
 */
export type Place =
  | 'begin'
  | 'end'
  | { readonly offset: number }
  | { readonly time: bigint }
  | { readonly epoch: number; readonly seq: number }

/**
 * One message. `value`, `key` and `view()` stand in a slab: valid until the handler's promise settles, or until the next
 * step of the iterator. copy() keeps.
 */
export interface Batch {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Offsets it takes; the next message is at offset + count. On the embedded engine one per record, on Kafka one. */
  readonly count: number
  /** Records of a batch; 1 for an opaque message and for a batch that cannot be read. */
  readonly records: number
  readonly kind: MessageKind
  readonly key: string
  readonly value: Uint8Array
  /** The records in place, or undefined when it is no batch this build can read (step over it, count it). */
  view(): BatchView | undefined
  /** Indices of the records wanted, when a reader asked for symbols; undefined: all. */
  readonly selected: readonly number[] | undefined
  copy(): Batch
}

/** A stretch that could not be delivered. */
export interface Hole {
  readonly topic: string
  readonly partition: number
  readonly reason: 'corruption' | 'retention'
  readonly from: number
  readonly to: number
}

export interface ReadOptions {
  readonly topics: readonly string[]
  readonly partitions?: readonly number[]
  /** Only records of these; needs `instrumentsOf` of the log. */
  readonly symbols?: readonly string[]
  readonly from?: Place
  /** Default 'end': where the log ended when the read began. Not with `follow`. */
  readonly to?: Place
  readonly follow?: boolean
  readonly signal?: AbortSignal
  /** Damaged or expired stretches that were stepped over. */
  readonly onHole?: (hole: Hole) => void
}

/** A record, or a whole opaque message (index 0), that a handler could not process. */
export interface FailedRecord {
  readonly index: number
  readonly error: unknown
}
/** Nothing: the whole batch stands. */
export type Result = undefined | { readonly failed: readonly FailedRecord[] }

export interface HandlerContext {
  readonly topic: string
  readonly partition: number
  readonly generation: number
  readonly correlationId: string
  /** 0 on first delivery; the n-th retry of a record gives n, with a batch of `only` those records to look at. */
  readonly attempt: number
  /** On a retry: the indices that are tried again. Undefined on first delivery. */
  readonly only: readonly number[] | undefined
  /**
   * A dead letter that comes again: the batch is that one record (index 0), its (epoch, seq) lies behind the stream's, so a
   * handler that drops repeats must not drop it. Repeats are told by `eventId`, or by `id` where there is none.
   */
  readonly redrive: DeadLetter | undefined
  /** Aborted when the partition is lost or the consumer stops. */
  readonly signal: AbortSignal
  readonly state: PartitionState
}
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is the usual one.
export type Handler = (batch: Batch, context: HandlerContext) => Promise<Result | void>

export interface Snapshot {
  readonly bytes: Uint8Array
  /** Whatever the processor wants beside it: input positions, output counters. JSON. */
  readonly meta: unknown
}
/** A processor's state for one input partition, kept in the compacted topic of its group. */
export interface PartitionState {
  /** 'fenced' when the partition is another's by now. */
  save(snapshot: Snapshot): Promise<AppendStatus>
  load(): Promise<Snapshot | undefined>
}

export interface ConsumerCounters {
  batches: number
  records: number
  failed: number
  retried: number
  deadLetters: number
  /** Batches this build could not read; dead letters, too. */
  undecodable: number
  /** Dead letters that stood when they came again. */
  redriven: number
  commits: number
  fenced: number
  handlerErrors: number
  holes: number
}

export interface ConsumerOptions {
  readonly group: string
  readonly topics: readonly string[]
  readonly handler: Handler
  /** Retention waits for this group. */
  readonly durable?: boolean
  /** Order matters: a failed record pauses its partition while it is retried. */
  readonly ordered?: boolean
  /** Where the group starts when it has committed nothing. */
  readonly from?: Place
  /** Retries that may wait per partition before it pauses. */
  readonly retriesWaitingMax?: number
  readonly retryPolicies?: Partial<Record<RetryClass, { retriesMax: number; delayMsMin: number; delayMsMax: number }>>
  /** Called at assignment, before the first batch; may read `state.load()`. */
  readonly onAssigned?: (
    context: Omit<HandlerContext, 'attempt' | 'only' | 'redrive' | 'correlationId'> & { readonly offset: number },
  ) => Promise<void> | void
  readonly onRevoked?: (topic: string, partition: number, reason: 'revoked' | 'lost' | 'stopped') => void
  readonly onHole?: (hole: Hole) => void
  /** Dead letters asked for by `redrive` come to the handler again. Default true. */
  readonly redrive?: boolean
  /** How the topic of dead letters is made when there is none yet. */
  readonly deadLetters?: Omit<TopicOptions, 'name' | 'partitions'>
  readonly onError?: (error: unknown, batch: { topic: string; partition: number; offset: number }) => void
  readonly clock?: Clock
  readonly random?: () => number
  /** For tests: a member beats every heartbeatMs and is hung after hungMs. */
  readonly heartbeatMs?: number
  readonly hungMs?: number
}

export interface AssignedPartition {
  readonly topic: string
  readonly partition: number
  readonly generation: number
  /** Committed up to here (exclusive). */
  readonly committed: number
  readonly retriesWaiting: number
  readonly paused: boolean
}

export interface Consumer {
  readonly counters: Readonly<ConsumerCounters>
  readonly assigned: readonly AssignedPartition[]
  /** Finishes what is in flight, commits, leaves the group. */
  stop(): Promise<void>
  /** Settles when the consumer ends by itself because it cannot go on; never rejects before that. */
  readonly failed: Promise<never>
  /** Records between the committed position and the end, over the assigned partitions. */
  lag(): number
}

export interface Producer {
  append(message: AppendMessage): Promise<AppendResult>
  close(): void
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface GroupMember {
  readonly id: string
  readonly host: string
  /** Where the engine tells. */
  readonly heartbeatAgeMs?: number
  readonly partitions: readonly TopicPartition[]
}

export interface GroupSummary {
  readonly group: string
  /** `stable`, `empty`, on Kafka also what its coordinator says while members come and go. */
  readonly state: string
  readonly protocol: 'embedded' | 'classic' | 'consumer'
  /** Retention waits for it. */
  readonly durable: boolean
  readonly topics: readonly { readonly topic: string; readonly partitions: number }[]
  readonly members: readonly GroupMember[]
}

export interface PartitionLag {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly exchange: string | undefined
  /** Id of the member that owns it. */
  readonly owner: string | undefined
  readonly committed: number | undefined
  readonly end: number
  /** Offsets between the committed position and the end: records on the embedded engine, messages on Kafka. */
  readonly lagMessages: number
  /** Newest ts_recv of the partition minus ts_recv of the first message that waits; 0: nothing waits. */
  readonly lagMs: number
}

export interface Log {
  readonly engine: 'embedded' | 'kafka'
  readonly id: string
  /** For native parts. */
  readonly native: NativeLog
  ensureTopic(options: TopicOptions): Promise<void>
  topics(): Promise<Topic[]>
  describe(topic: string, partition: number): Promise<PartitionInfo | undefined>
  committed(group: string, topic: string, partition: number): Promise<number | undefined>
  /** Every group the log knows, with its members of now. */
  groups(): Promise<GroupSummary[]>
  /**
   * Of each partition the group reads or has read; empty for a group the log does not know. `only`: no others are looked at,
   * and one of them that the group does not read is left out.
   */
  lag(group: string, only?: readonly TopicPartition[]): Promise<PartitionLag[]>
  append(topic: string, partition: number, message: AppendMessage): Promise<AppendResult>
  /** Keeps one partition's appender open. */
  producer(topic: string, partition: number): Producer
  read(options: ReadOptions): AsyncIterableIterator<Batch>
  consumer(options: ConsumerOptions): Promise<Consumer>
  /** Reads a processor's state without being in its group (tools, tests). */
  state(group: string, topic: string, partition: number): Promise<Snapshot | undefined>
  /**
   * One pass of retention and compaction. Whoever runs the log calls it now and then; passes of several processes exclude
   * each other per partition. An engine that keeps its own house does nothing.
   */
  keepHouse(): Promise<HouseReport>
  close(): Promise<void>
}

export interface HouseReport {
  readonly deletedSegments: number
  readonly deletedBytes: number
  readonly compactedMessages: number
  /** Records that a durable group had not committed when the byte budget took them. Each has a gap record in the log. */
  readonly lost: number
}

export interface OpenLogOptions {
  readonly directory: string
  /** process: survives any process death. interval: synced every syncIntervalMs. batch: acknowledged after fdatasync. */
  readonly durability?: 'process' | 'interval' | 'batch'
  readonly syncIntervalMs?: number
  readonly readOnly?: boolean
  /** Instrument ids of a symbol in a topic, for `read({symbols})`. */
  readonly instrumentsOf?: (symbol: string, topic: string) => readonly number[]
  readonly clock?: Clock
}
