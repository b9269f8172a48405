/**
 * What produces a log to Kafka: the replicator (the local log as the engine's own topics) and the open views (one data record a
 * message, for everybody else). Both run on threads of their own; when brokers are away the log waits for them, up to its retention.
 */
import { type KafkaProperties, kafkaAddon } from './kafka.js'
import type { NativeEngine } from './log.js'

/** `throughput` gathers 10 ms or 32 KB, `latency` sends at once. A property that is given wins over the profile. */
export type ProducerProfile = 'throughput' | 'latency'
export type KafkaCompression = 'none' | 'snappy' | 'lz4' | 'zstd'
export type ViewEncoding = 'json' | 'avro' | 'record'

export interface PublisherOptions {
  readonly properties: KafkaProperties
  readonly profile?: ProducerProfile
  readonly compression?: KafkaCompression
  /** Messages that librdkafka holds at most; then the log is not read. */
  readonly queueMessages?: number
  readonly queueKbytes?: number
  readonly group?: string
  readonly commitMs?: number
  /** How long stop() waits for what is on its way. */
  readonly stopMs?: number
}

export interface ReplicatorOptions extends PublisherOptions {
  /** By their names in the log. */
  readonly topics: readonly string[]
  /** Records of one Kafka message at most. */
  readonly recordsMax?: number
  /** Above it records are held back longer, up to 5 ms. */
  readonly messagesPerSecondMax?: number
}

export interface ViewTopic {
  readonly topic: string
  readonly encoding?: ViewEncoding
  /** With `avro`: the registry's ids. A record whose type has none is left out and counted as `bad`. */
  readonly schemaIds?: Readonly<Partial<Record<'trade' | 'quote' | 'ticker' | 'index' | 'depth' | 'level' | 'bar', number>>>
}

export interface ViewPublisherOptions extends PublisherOptions {
  readonly views: readonly ViewTopic[]
  /** The log's retention waits for the views. */
  readonly durable?: boolean
  /** How long a record waits for addInstrument() before it is left out and counted. */
  readonly instrumentWaitMs?: number
}

export interface PublisherTopic {
  readonly topic: string
  /** Offsets of the log that the brokers have not acknowledged: records on the embedded engine, messages on Kafka. */
  readonly lag: number
  /** Messages of the log. */
  readonly inFlight: number
  /** Those that this member has. */
  readonly partitions: number
}

/** Counted since it was made. */
export interface PublisherStats {
  readonly state: 'stopped' | 'running' | 'blocked'
  /** Why it is blocked; empty: nothing is wrong. */
  readonly error: string
  readonly messages: number
  readonly records: number
  readonly bytes: number
  readonly acknowledged: number
  readonly inFlight: number
  /** Messages told to be undeliverable; they were sent again. */
  readonly failed: number
  /** Records left out because they stood in Kafka already. */
  readonly repeats: number
  readonly unknownInstrument: number
  /** Messages of the log, or records, that could not be read or encoded. */
  readonly bad: number
  /** Offsets that were damaged, or deleted by retention, before they were published. */
  readonly lostOffsets: number
  /** How often a producer was made: more than once after fatal errors. */
  readonly producers: number
  /** Means of librdkafka's own batches. */
  readonly batchBytes: number
  readonly batchMessages: number
  /** From sending to acknowledgement. */
  readonly ackNsP50: number
  readonly ackNsP99: number
  /** From a record's ts_recv to its acknowledgement; those of a message are taken as evenly spread between its first and its newest. */
  readonly ageNsP50: number
  readonly ageNsP99: number
  /** By librdkafka's name of the error. */
  readonly errors: Readonly<Record<string, number>>
  readonly topics: readonly PublisherTopic[]
}

export interface NativePublisher {
  /** Rejects when the options or the log are wrong; brokers may be away. */
  start(): Promise<void>
  /** Sends what stands in the log, waits for its acknowledgement, commits and leaves the group. */
  stop(): Promise<void>
  stats(): PublisherStats
}

export interface NativeViewPublisher extends NativePublisher {
  /** False when refused: another definition of the id is known, or an exponent is outside [-18, 18]. */
  addInstrument(id: number, symbol: string, priceExponent: number, sizeExponent: number): boolean
}

interface PublishAddon {
  NativeReplicator: new (engine: NativeEngine, options: ReplicatorOptions) => NativePublisher
  NativeViewPublisher: new (engine: NativeEngine, options: ViewPublisherOptions) => NativeViewPublisher
}

const publishAddon = () => kafkaAddon() as unknown as PublishAddon

/** Of a log on this machine: `new NativeLog(directory).engine()`. */
export const makeReplicator = (engine: NativeEngine, options: ReplicatorOptions): NativePublisher =>
  new (publishAddon().NativeReplicator)(engine, options)

/** Of a log on either engine. */
export const makeViewPublisher = (engine: NativeEngine, options: ViewPublisherOptions): NativeViewPublisher =>
  new (publishAddon().NativeViewPublisher)(engine, options)
