/**
 * What both engines of the log have in common: everything above a native log. Appends and calls that may wait (for a disk, for a
 * broker) run on other threads; each reader and consumer has a native one. Opening a reader, an appender or a membership asks for its
 * topic on the event loop: from memory when it was asked for in the last ten seconds.
 */
import { type Clock, DiskFullError, KafkaError, LogBusyError, LogError, systemClock } from '../core/index.js'
import { logStatus, type NativeAppender, type NativeLog, openNativeAppender } from '../native/log.js'
import { GroupConsumer } from './consumer.js'
import { readBatches } from './read.js'
import { loadState } from './state.js'
import type {
  AppendMessage,
  AppendResult,
  AppendStatus,
  Batch,
  Consumer,
  ConsumerOptions,
  GroupSummary,
  HouseReport,
  Log,
  PartitionInfo,
  PartitionLag,
  Producer,
  ReadOptions,
  Snapshot,
  Topic,
  TopicOptions,
  TopicPartition,
} from './types.js'

export interface EngineOptions {
  /** Appends wait for something slower than memory. */
  readonly waits: boolean
  readonly instrumentsOf?: ((symbol: string, topic: string) => readonly number[]) | undefined
  readonly clock?: Clock | undefined
}

export abstract class EngineLog implements Log {
  abstract readonly engine: 'embedded' | 'kafka'
  /** Where it is, for messages: the directory, or the brokers. */
  abstract readonly place: string
  readonly native: NativeLog
  readonly #options: EngineOptions
  readonly #clock: Clock
  readonly #appenders = new Map<string, NativeAppender>()
  /** The last append of each that waits. */
  readonly #turns = new Map<NativeAppender, Promise<void>>()
  readonly #open = new Set<Consumer | AsyncIterableIterator<Batch>>()
  #closed = false

  protected constructor(native: NativeLog, options: EngineOptions) {
    this.native = native
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  abstract groups(): Promise<GroupSummary[]>
  abstract lag(group: string, only?: readonly TopicPartition[]): Promise<PartitionLag[]>
  abstract keepHouse(): Promise<HouseReport>

  get id(): string {
    return this.native.id
  }

  async ensureTopic(options: TopicOptions): Promise<void> {
    let status: string
    try {
      status = logStatus(await this.native.ensureTopicAsync(options))
    } catch (error) {
      throw new LogError(`topic ${options.name}: ${(error as Error).message}`, { cause: error })
    }
    if (status === 'ok') return
    if (status === 'diskFull') throw new DiskFullError(`topic ${options.name}: no room on ${this.place}`)
    if (status === 'busy') throw new LogBusyError(`topic ${options.name}: ${this.place} is busy`)
    if (this.engine === 'kafka') throw new KafkaError(`topic ${options.name} cannot be made on ${this.place}: ${status}`)
    throw new LogError(`topic ${options.name}: ${status}`)
  }

  topics(): Promise<Topic[]> {
    return this.native.topicsAsync()
  }

  describe(topic: string, partition: number): Promise<PartitionInfo | undefined> {
    return this.native.describeAsync(topic, partition)
  }

  committed(group: string, topic: string, partition: number): Promise<number | undefined> {
    return this.native.committedAsync(group, topic, partition)
  }

  async append(topic: string, partition: number, message: AppendMessage): Promise<AppendResult> {
    if (this.#closed) return { status: 'closed', offset: 0 }
    const key = `${topic}/${partition}`
    let appender = this.#appenders.get(key)
    if (appender === undefined) {
      appender = openNativeAppender(this.native, topic, partition)
      const status = logStatus(appender.status) as AppendStatus
      if (status !== 'ok') return { status, offset: 0 }
      this.#appenders.set(key, appender)
    }
    return await this.#append(appender, message)
  }

  producer(topic: string, partition: number): Producer {
    const appender = openNativeAppender(this.native, topic, partition)
    const status = logStatus(appender.status) as AppendStatus
    return {
      append: async (message) => (status === 'ok' ? await this.#append(appender, message) : { status, offset: 0 }),
      close: () => {
        // Behind what it was given.
        const turn = this.#turns.get(appender)
        if (turn === undefined) appender.close()
        else turn.then(() => appender.close())
      },
    }
  }

  async #append(appender: NativeAppender, message: AppendMessage): Promise<AppendResult> {
    const kind = message.kind === 'batch' ? 1 : 2
    const tsRecv = message.tsRecv ?? this.#clock.wallNs()
    // Waiting belongs on a thread of its own, one at a time, in the order of the calls; everything else takes microseconds.
    if (this.#options.waits) {
      const before = this.#turns.get(appender)
      // A Buffer's own slice would be the same memory.
      const value = before === undefined ? message.value : new Uint8Array(message.value)
      const append = () => appender.appendAsync(kind, message.key ?? '', value, tsRecv)
      const turn = before === undefined ? append() : before.then(append)
      const settled = turn.then(
        () => undefined,
        () => undefined,
      )
      this.#turns.set(appender, settled)
      settled.then(() => this.#turns.get(appender) === settled && this.#turns.delete(appender))
      const [status, offset] = await turn
      return { status: logStatus(status) as AppendStatus, offset }
    }
    const status = appender.append(kind, message.key ?? '', message.value, tsRecv)
    return { status: logStatus(status) as AppendStatus, offset: appender.offset }
  }

  read(options: ReadOptions): AsyncIterableIterator<Batch> {
    const iterator = readBatches(this.native, options, this.#options.instrumentsOf, (finished) => this.#open.delete(finished))
    this.#open.add(iterator)
    return iterator
  }

  async consumer(options: ConsumerOptions): Promise<Consumer> {
    const known = await this.topics()
    const topics = options.topics.map((name) => {
      const topic = known.find((each) => each.name === name)
      if (topic === undefined) throw new LogError(`no topic ${name}`, { validValues: known.map((each) => each.name) })
      return topic
    })
    try {
      const consumer = new GroupConsumer(this, this.native, topics, options, (stopped) => this.#open.delete(stopped))
      this.#open.add(consumer)
      return consumer
    } catch (error) {
      if (error instanceof LogError) throw error
      throw new LogError(`group ${options.group}: ${(error as Error).message}`, { cause: error })
    }
  }

  async state(group: string, topic: string, partition: number): Promise<Snapshot | undefined> {
    return await loadState(this, group, topic, partition)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    for (const each of this.#open) await ('stop' in each ? each.stop() : each.return?.())
    this.#closed = true
    await Promise.all(this.#turns.values())
    for (const appender of this.#appenders.values()) appender.close()
    this.#appenders.clear()
  }
}
