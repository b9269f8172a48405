/** The embedded engine behind the Log interface: a directory that any process on the machine may open. */
import { type Clock, DiskFullError, LogBusyError, LogError, systemClock } from '../core/index.js'
import { compactLog, type NeededOffset, retainLog } from '../native/journal-admin.js'
import { logStatus, type NativeAppender, type NativeLog, openNativeAppender, openNativeLog } from '../native/log.js'
import { GroupConsumer } from './consumer.js'
import { embeddedGroups, embeddedLag } from './groups.js'
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
  OpenLogOptions,
  PartitionInfo,
  PartitionLag,
  Producer,
  ReadOptions,
  Snapshot,
  Topic,
  TopicOptions,
} from './types.js'

const durabilities = { process: 0, interval: 1, batch: 2 } as const

export class EmbeddedLog implements Log {
  readonly engine = 'embedded'
  readonly native: NativeLog
  readonly #options: OpenLogOptions
  readonly #clock: Clock
  readonly #appenders = new Map<string, NativeAppender>()
  readonly #open = new Set<Consumer | AsyncIterableIterator<Batch>>()
  #closed = false

  constructor(options: OpenLogOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    try {
      this.native = openNativeLog(options.directory, {
        durability: durabilities[options.durability ?? 'process'],
        ...(options.syncIntervalMs === undefined ? {} : { syncIntervalMs: options.syncIntervalMs }),
        readOnly: options.readOnly ?? false,
      })
    } catch (error) {
      throw new LogError(`cannot open the log ${options.directory}: ${(error as Error).message}`, { cause: error })
    }
  }

  get id(): string {
    return this.native.id
  }

  async ensureTopic(options: TopicOptions): Promise<void> {
    let status: string
    try {
      status = logStatus(this.native.ensureTopic(options))
    } catch (error) {
      throw new LogError(`topic ${options.name}: ${(error as Error).message}`, { cause: error })
    }
    if (status === 'ok') return
    if (status === 'diskFull') throw new DiskFullError(`topic ${options.name}: no room on ${this.native.directory}`)
    if (status === 'busy') throw new LogBusyError(`topic ${options.name}: the log is busy`)
    throw new LogError(`topic ${options.name}: ${status}`)
  }

  async topics(): Promise<Topic[]> {
    return this.native.topics()
  }

  async describe(topic: string, partition: number): Promise<PartitionInfo | undefined> {
    return this.native.describe(topic, partition)
  }

  async committed(group: string, topic: string, partition: number): Promise<number | undefined> {
    return this.native.committed(group, topic, partition)
  }

  async groups(): Promise<GroupSummary[]> {
    return embeddedGroups(this.native)
  }

  async lag(group: string): Promise<PartitionLag[]> {
    return embeddedLag(this.native, group)
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
      close: () => appender.close(),
    }
  }

  async #append(appender: NativeAppender, message: AppendMessage): Promise<AppendResult> {
    const kind = message.kind === 'batch' ? 1 : 2
    const tsRecv = message.tsRecv ?? this.#clock.wallNs()
    // Waiting for the disk belongs on a pool thread; everything else takes microseconds.
    if (this.#options.durability === 'batch') {
      const [status, offset] = await appender.appendAsync(kind, message.key ?? '', message.value, tsRecv)
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
    const known = this.native.topics()
    const topics = options.topics.map((name) => {
      const topic = known.find((each) => each.name === name)
      if (topic === undefined) throw new LogError(`no topic ${name}`, { validValues: known.map((each) => each.name) })
      return topic
    })
    try {
      const consumer = new GroupConsumer(this, this.native, topics, options)
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

  async keepHouse(): Promise<HouseReport> {
    const { directory } = this.native
    const needed: NeededOffset[] = []
    let compactedMessages = 0
    for (const { name, partitions, compact } of this.native.topics()) {
      for (let partition = 0; partition < partitions; partition++) {
        const offset = this.native.durableFloor(name, partition)
        if (offset !== undefined) needed.push({ topic: name, partition, offset })
        if (compact) compactedMessages += (await compactLog(directory, name, partition)).messagesDropped
      }
    }
    const { segments, bytes, lost } = await retainLog(directory, needed)
    const records = lost.reduce((sum, loss) => sum + loss.count, 0)
    return { deletedSegments: segments, deletedBytes: bytes, compactedMessages, lost: records }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    for (const each of this.#open) await ('stop' in each ? each.stop() : each.return?.())
    this.#closed = true
    for (const appender of this.#appenders.values()) appender.close()
    this.#appenders.clear()
  }
}
