/** The peer: node-rdkafka, one message per record, as its documentation shows it, with the settings that make it fastest here. */
import kafka, { type KafkaConsumer, type Producer } from 'node-rdkafka'
import { layout } from '../../src/wire/index.js'
import { properties } from './kafka-cluster.js'
import { type Market, RECORD_BYTES } from './kafka-market.js'

const CONNECT_MS = 10_000
const QUEUE_FULL = kafka.CODES.ERRORS.ERR__QUEUE_FULL
const MESSAGES_PER_CALL = 5_000
const MESSAGES_PER_TURN = 1_000
const PRICE_AT = layout.records.trade.fields.price.offset

export interface KeyedMessage {
  readonly key: string
  readonly value: Buffer
}

export function keyedMessages(market: Market, count: number): KeyedMessage[] {
  const bytes = Buffer.alloc(count * RECORD_BYTES)
  const symbols = market.write(bytes)
  return symbols.map((key, i) => ({ key, value: bytes.subarray(i * RECORD_BYTES, (i + 1) * RECORD_BYTES) }))
}

const connected = <C extends KafkaConsumer | Producer>(client: C): Promise<C> =>
  new Promise((resolve, reject) => {
    client.connect({ timeout: CONNECT_MS }, (error) => (error ? reject(error) : resolve(client)))
  })
export const disconnected = (client: KafkaConsumer | Producer): Promise<void> =>
  new Promise((resolve) => client.disconnect(() => resolve()))
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Milliseconds: gathers long enough that the peer is not slowed down by the number of its requests. */
const LINGER_MS = 100

export const connectProducer = (lingerMs: number): Promise<Producer> =>
  connected(
    new kafka.Producer(
      {
        ...properties,
        'enable.idempotence': true,
        'compression.codec': 'snappy',
        'linger.ms': lingerMs,
        'queue.buffering.max.messages': 1_000_000,
        dr_cb: true,
      },
      { acks: -1, partitioner: 'murmur2_random' },
    ),
  )

/** Sends all and waits for the last delivery report: what was delivered since the first one, and in how many seconds. */
export async function produceEach(
  topic: string,
  messages: readonly KeyedMessage[],
  lingerMs = LINGER_MS,
): Promise<{ seconds: number; delivered: number }> {
  const producer = await connectProducer(lingerMs)
  let delivered = 0
  let begin = 0
  producer.on('delivery-report', (error) => {
    if (error) throw error
    if (delivered++ === 0) begin = performance.now()
  })
  // Topic metadata belongs to the connection.
  await new Promise((resolve) => producer.getMetadata({ topic, timeout: CONNECT_MS }, resolve))
  let sent = 0
  while (delivered < messages.length) {
    const until = Math.min(sent + MESSAGES_PER_TURN, messages.length)
    while (sent < until) {
      const { key, value } = messages[sent] as KeyedMessage
      try {
        producer.produce(topic, null, value, key)
      } catch (error) {
        if ((error as { code?: number }).code !== QUEUE_FULL) throw error
        break
      }
      sent++
    }
    producer.poll()
    await turn()
  }
  const seconds = (performance.now() - begin) / 1000
  await disconnected(producer)
  return { seconds, delivered: delivered - 1 }
}

export interface Consumed {
  readonly seconds: number
  readonly records: number
  readonly priceSum: number
}

/** Reads the topic from its beginning until it has seen `count` messages, and sums their prices. */
export async function consumeEach(topic: string, partitions: number, count: number): Promise<Consumed> {
  const consumer = await connected(
    new kafka.KafkaConsumer(
      {
        ...properties,
        'group.id': 'bench-peer',
        'enable.auto.commit': false,
        'queued.min.messages': 1_000_000,
        'fetch.wait.max.ms': 10,
      },
      { 'auto.offset.reset': 'earliest' },
    ),
  )
  // How long a call waits for a full batch: at the end of the topic none comes.
  consumer.setDefaultConsumeTimeout(5)
  const begin = performance.now()
  consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 })))
  let records = 0
  let priceSum = 0
  while (records < count) {
    const messages = await new Promise<{ readonly value: Buffer | null }[]>((resolve, reject) => {
      consumer.consume(MESSAGES_PER_CALL, (error, batch) => (error ? reject(error) : resolve(batch)))
    })
    for (const { value } of messages) {
      if (value === null) continue
      priceSum += value.readInt32LE(PRICE_AT + 4) * 4294967296 + value.readUInt32LE(PRICE_AT)
    }
    records += messages.length
  }
  const seconds = (performance.now() - begin) / 1000
  await disconnected(consumer)
  return { seconds, records, priceSum }
}
