/**
 * Plain Kafka messages for tools that move or count them: a reader from offset to offset, a writer that waits for every delivery
 * report. Built on node-rdkafka, an object a message: the control plane's rates, not the data path's. A slow broker makes the writer
 * wait, and so the reader.
 */
import type { KafkaConsumer, LibrdKafkaError, Message, Producer } from 'node-rdkafka'
import { KafkaError, KafkaUnavailableError } from '../../core/errors.js'
import type { KafkaProperties } from '../../native/kafka.js'

export interface PlainMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | undefined
  readonly value: Buffer
  readonly timestampMs: number | undefined
  readonly headers: ReadonlyMap<string, string>
}

export interface OutgoingMessage {
  readonly topic: string
  readonly key: string | undefined
  readonly value: Buffer
  readonly timestampMs: number | undefined
  readonly headers: Readonly<Record<string, string>>
}

/** A partition's messages from `begin` on, before `end`. */
export interface Stretch {
  readonly topic: string
  readonly partition: number
  readonly begin: number
  readonly end: number
}

const CONNECT_MS = 10_000
const CONSUME_MS = 200
const MESSAGES = 1_000

async function library(): Promise<typeof import('node-rdkafka')> {
  try {
    return (await import('node-rdkafka')).default
  } catch (error) {
    throw new KafkaUnavailableError(`moving messages needs the optional package node-rdkafka: ${(error as Error).message}`, {
      cause: error,
      fix: 'run `make kafka` (it builds librdkafka: about two minutes)',
    })
  }
}

const failed = (doing: string, error: LibrdKafkaError): KafkaError =>
  new KafkaError(`${doing}: ${error.message}`, { cause: error, fix: 'check that the brokers run and may be reached' })

function connected<C extends KafkaConsumer | Producer>(client: C): Promise<C> {
  return new Promise((resolve, reject) => {
    client.connect({ timeout: CONNECT_MS }, (error) => (error ? reject(failed('connecting to Kafka', error)) : resolve(client)))
  })
}

const closed = (client: KafkaConsumer | Producer): Promise<void> => new Promise((resolve) => client.disconnect(() => resolve()))

/** In batches, in order within a partition; ends when every stretch was read. */
export async function* readMessages(
  properties: KafkaProperties,
  stretches: readonly Stretch[],
  signal?: AbortSignal,
): AsyncGenerator<readonly PlainMessage[]> {
  const wanted = new Map(stretches.filter((s) => s.end > s.begin).map((s) => [`${s.topic}/${s.partition}`, s]))
  const open = new Set(wanted.keys())
  if (open.size === 0) return
  const endOf = (m: Message): number => wanted.get(`${m.topic}/${m.partition}`)?.end ?? 0
  const { KafkaConsumer } = await library()
  // A group is asked for and never joined: nothing is committed.
  const settings = { 'group.id': 'tickwire-tools', 'enable.auto.commit': false, 'enable.partition.eof': true }
  const consumer = await connected(new KafkaConsumer({ ...properties, ...settings }, { 'auto.offset.reset': 'earliest' }))
  try {
    // Compaction and transactions leave offsets without messages: the end of a partition ends its stretch too.
    consumer.on('partition.eof', (at) => void open.delete(`${at.topic}/${at.partition}`))
    consumer.setDefaultConsumeTimeout(CONSUME_MS)
    consumer.assign([...wanted.values()].map(({ topic, partition, begin }) => ({ topic, partition, offset: begin })))
    while (open.size > 0) {
      signal?.throwIfAborted()
      const messages = await consumed(consumer)
      const within = messages.filter((m) => m.offset < endOf(m))
      if (within.length > 0) yield within.map(plain)
      for (const m of messages) if (m.offset + 1 >= endOf(m)) open.delete(`${m.topic}/${m.partition}`)
    }
  } finally {
    await closed(consumer)
  }
}

const consumed = (consumer: KafkaConsumer): Promise<Message[]> =>
  new Promise((resolve, reject) =>
    consumer.consume(MESSAGES, (error, messages) => (error ? reject(failed('reading from Kafka', error)) : resolve(messages))),
  )

function plain(m: Message): PlainMessage {
  const headers = (m.headers ?? []).flatMap((h) => Object.entries(h).map(([name, value]) => [name, value.toString()] as const))
  return {
    topic: m.topic,
    partition: m.partition,
    offset: m.offset,
    key: m.key === undefined || m.key === null ? undefined : m.key.toString(),
    value: m.value ?? Buffer.alloc(0),
    timestampMs: m.timestamp !== undefined && m.timestamp >= 0 ? m.timestamp : undefined,
    headers: new Map(headers),
  }
}

export class MessageWriter {
  readonly #producer: Producer

  private constructor(producer: Producer) {
    this.#producer = producer
  }

  static async open(properties: KafkaProperties): Promise<MessageWriter> {
    const { Producer } = await library()
    // Java's and Tickwire's placement: a key stands where every other client puts it.
    const settings = { dr_cb: true, acks: -1, 'enable.idempotence': true, 'linger.ms': 5, 'compression.codec': 'snappy' } as const
    const producer = new Producer({ ...properties, ...settings }, { partitioner: 'murmur2_random' })
    await connected(producer)
    producer.setPollInterval(10)
    return new MessageWriter(producer)
  }

  /** Resolves when every message is acknowledged; in the order given, per partition. */
  send(messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      let left = messages.length
      let refused: LibrdKafkaError | undefined
      const onReport = (error: LibrdKafkaError | null): void => {
        if (error) refused ??= error
        left--
        if (left > 0) return
        this.#producer.removeListener('delivery-report', onReport)
        if (refused === undefined) resolve()
        else reject(failed('writing to Kafka', refused))
      }
      this.#producer.on('delivery-report', onReport)
      for (const m of messages) {
        const headers = Object.entries(m.headers).map(([name, value]) => ({ [name]: value }))
        this.#producer.produce(m.topic, null, m.value, m.key ?? null, m.timestampMs ?? null, undefined, headers)
      }
    })
  }

  close(): Promise<void> {
    return closed(this.#producer)
  }
}
