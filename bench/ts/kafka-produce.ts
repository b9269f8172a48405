/**
 * The produce benches. Ours: a local log is filled first, and a native publisher follows it. node-rdkafka: messages in memory. Both
 * clocks run from the first acknowledgement to the last, on an open connection; what the first acknowledged is not counted. All:
 * acks=all, idempotent, snappy, the same broker, a new topic of the same shape each round. What ours and node-rdkafka's topics hold is read back: the sum of the prices proves that all records stand there.
 */
import { join } from 'node:path'
import { type KafkaLog, type Log, openKafkaLog, openLog } from '../../src/log/index.js'
import { encodeBatch, openNativeAppender } from '../../src/native/log.js'
import { makeReplicator, type NativePublisher } from '../../src/native/publish.js'
import { type Field, layout } from '../../src/wire/index.js'
import { compare, emit, type Run, scale } from './compare.js'
import { admin, deleteTopic, freshTopic, properties } from './kafka-cluster.js'
import { Market, RECORD_BYTES } from './kafka-market.js'
import { type KeyedMessage, keyedMessages, produceEach } from './kafka-peer.js'
import { scratch } from './records.js'

const BATCH = 256
const APPEND_KIND_BATCH = 1
const SEGMENT_BYTES = 1 << 28
/** Asking costs a core's time, which is what a produce bench has least of. */
const POLL_MS = 10
const price: Field = layout.records.trade.fields.price
export const TOPIC = 'market.crypto.trades.bench'
export const ALL_THERE = 'all there'

/** A log with whole batches of the market's trades, spread over the partitions. */
export async function filledLog(market: Market, partitions: number, records: number): Promise<Log> {
  const log = await openLog({ directory: join(scratch('outbox'), 'log') })
  await log.ensureTopic({ name: TOPIC, partitions, segmentBytes: SEGMENT_BYTES })
  const appenders = Array.from({ length: partitions }, (_, partition) => openNativeAppender(log.native, TOPIC, partition))
  const bytes = new Uint8Array(BATCH * RECORD_BYTES)
  for (let batch = 0; batch * BATCH < records; batch++) {
    const partition = batch % partitions
    market.write(bytes, partition)
    const value = encodeBatch(layout.records.trade.type, bytes, 0n)
    if (appenders[partition]?.append(APPEND_KIND_BATCH, '', value, 1n) !== 0) throw new Error('append refused')
  }
  for (const appender of appenders) appender.close()
  return log
}

export interface Contents {
  readonly records: number
  readonly priceSum: number
}

/** What TypeScript sees of a topic: batch by batch, the price column summed. */
export async function contentsOf(kafka: KafkaLog, topic: string): Promise<Contents> {
  let records = 0
  let priceSum = 0
  for await (const batch of kafka.read({ topics: [topic] })) {
    const view = batch.view()
    if (view === undefined) throw new Error('not a batch')
    for (let i = 0; i < view.count; i++) priceSum += view.number(price, i)
    records += view.count
  }
  return { records, priceSum }
}

export const verdict = (found: Contents, made: Contents): string =>
  found.records === made.records && found.priceSum === made.priceSum
    ? ALL_THERE
    : `${found.records} of ${made.records} records, prices ${found.priceSum} of ${made.priceSum}`

async function verdictOf(topic: string, made: Contents): Promise<string> {
  const kafka = await openKafkaLog({ properties })
  const found = await contentsOf(kafka, topic)
  await kafka.close()
  return verdict(found, made)
}

/** What was acknowledged since the first acknowledgement. */
export interface Published {
  readonly seconds: number
  /** In proportion to the messages. */
  readonly records: number
  /** From the start to the last acknowledgement. */
  readonly wholeSeconds: number
  /** All of them. */
  readonly messages: number
}

/** Starts the publisher, and ends it when `records` are acknowledged. */
export async function publishAll(publisher: NativePublisher, records: number): Promise<Published> {
  const start = performance.now()
  let begin = start
  let before = 0
  await publisher.start()
  for (;;) {
    const stats = publisher.stats()
    if (stats.error !== '') throw new Error(stats.error)
    // A tiny run may be over at the first look: it is timed from its start.
    if (before === 0 && stats.acknowledged > 0 && stats.records < records) {
      begin = performance.now()
      before = stats.acknowledged
    }
    if (stats.records === records && stats.acknowledged === stats.messages) break
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  const end = performance.now()
  const { messages } = publisher.stats()
  await publisher.stop()
  return {
    seconds: (end - begin) / 1000,
    records: (records * (messages - before)) / messages,
    wholeSeconds: (end - start) / 1000,
    messages,
  }
}

let group = 0
/** A group that has committed nothing: the log is published from its beginning again. */
export const freshGroup = (): string => `bench-${++group}`

/** One round of node-rdkafka's. */
export async function produceByPeer(partitions: number, messages: readonly KeyedMessage[], made: Contents): Promise<Run> {
  await freshTopic(TOPIC, partitions)
  const { seconds, delivered } = await produceEach(TOPIC, messages)
  const hash = await verdictOf(`kafka:${TOPIC}`, made)
  await deleteTopic(TOPIC)
  return { operations: delivered, seconds, hash }
}

export interface PublishRound {
  /** Kafka's. */
  readonly topic: string
  /** As a log reads it: a name of the engine's, or `kafka:` and Kafka's own. */
  readonly readAs: string
  readonly partitions: number
  readonly made: Contents
  readonly publisher: NativePublisher
}

/** One round of ours. */
export async function publishRound({ topic, readAs, partitions, made, publisher }: PublishRound): Promise<Run & Published> {
  await freshTopic(topic, partitions)
  const published = await publishAll(publisher, made.records)
  const hash = await verdictOf(readAs, made)
  await deleteTopic(topic)
  return { ...published, operations: published.records, hash }
}

/** The engine's topic, from a local log with as many partitions. */
export class Replication {
  meanRecords = 0

  private constructor(
    private readonly log: Log,
    private readonly partitions: number,
    private readonly made: Contents,
  ) {}

  static async of(partitions: number, records: number): Promise<Replication> {
    const market = new Market(partitions)
    const whole = Math.ceil(records / BATCH) * BATCH
    const log = await filledLog(market, partitions, whole)
    return new Replication(log, partitions, { records: whole, priceSum: market.priceSum })
  }

  async run(): Promise<Run & Published> {
    const run = await publishRound({
      topic: `${TOPIC}.batch`,
      readAs: TOPIC,
      partitions: this.partitions,
      made: this.made,
      publisher: makeReplicator(this.log.native.engine(), { properties, topics: [TOPIC], group: freshGroup() }),
    })
    this.meanRecords = this.made.records / run.messages
    return run
  }

  get records(): number {
    return this.made.records
  }

  get note(): string {
    return `${this.meanRecords.toFixed(0)} records a message`
  }

  close(): Promise<void> {
    return this.log.close()
  }
}

export async function produceBatched(id: string, partitions: number): Promise<void> {
  const replication = await Replication.of(partitions, 4_000_000 * scale())
  const market = new Market(partitions)
  const messages = keyedMessages(market, Math.ceil(500_000 * scale()))
  const made = { records: messages.length, priceSum: market.priceSum }
  const row = await compare({
    id,
    peer: 'node-rdkafka, one record a message',
    unit: '1/s',
    ours: () => replication.run(),
    theirs: () => produceByPeer(partitions, messages, made),
  })
  emit({ ...row, note: replication.note })
  await replication.close()
  admin.close()
}
