/** The registry's definitions in the log: `market.{asset_class}.reference_data.{exchange}`, opaque JSON, one writer per exchange. */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, delay } from '../core/clock.js'
import { makeDirectories } from '../core/directories.js'
import { DiskFullError, LogError, RegistryBusyError } from '../core/errors.js'
import type { Log } from '../log/index.js'
import type { Exchange } from '../model/exchanges.js'
import type { RegistryStore } from '../model/registry.js'
import type { TopicConfig, TopicNameBuilder } from '../model/topics.js'
import { tryLockFile } from '../native/lock.js'

const LOCK_WAIT_MS = 10
const LOCK_MS_MAX = 10_000
const BUSY_TRIES = 40

export interface LogRegistryStoreOptions {
  /** Asked at each use: it may not be open before. */
  readonly log: () => Log
  readonly topics: TopicNameBuilder
  readonly clock: Clock
  /** Where lock files lie: the data directory. */
  readonly directory: string
}

export const topicOptions = (config: TopicConfig) => ({
  name: config.name,
  partitions: config.partitions,
  segmentBytes: config.segmentBytes,
  retentionMs: config.retentionMs,
  retentionBytes: config.retentionBytes,
  compact: config.compact,
})

export class LogRegistryStore implements RegistryStore {
  readonly #options: LogRegistryStoreOptions
  readonly #positions = new Map<string, number>()

  constructor(options: LogRegistryStoreOptions) {
    this.#options = options
  }

  async read(exchange: Exchange): Promise<readonly { key: string; value: Uint8Array }[]> {
    const log = this.#options.log()
    const { name } = this.#topic(exchange)
    const from = this.#positions.get(name) ?? 0
    const info = await log.describe(name, 0)
    if (info === undefined || info.endOffset <= from) return []
    const found: { key: string; value: Uint8Array }[] = []
    let next = from
    for await (const batch of log.read({ topics: [name], partitions: [0], from: { offset: from } })) {
      if (batch.kind === 'opaque' && batch.key !== '') found.push({ key: batch.key, value: batch.value.slice() })
      next = batch.offset + batch.count
    }
    this.#positions.set(name, Math.max(next, from))
    return found
  }

  async append(exchange: Exchange, messages: readonly { key: string; value: Uint8Array }[]): Promise<void> {
    const { clock } = this.#options
    const log = this.#options.log()
    const config = this.#topic(exchange)
    await log.ensureTopic(topicOptions(config))
    const producer = log.producer(config.name, 0)
    try {
      for (const { key, value } of messages) {
        let result = await producer.append({ kind: 'opaque', key, value })
        for (let tries = 1; result.status === 'busy' && tries < BUSY_TRIES; tries++) {
          await delay(clock, LOCK_WAIT_MS)
          result = await producer.append({ kind: 'opaque', key, value })
        }
        if (result.status === 'diskFull') throw new DiskFullError(`${exchange.name} ${key}: no room for its definition`)
        if (result.status !== 'ok') throw new LogError(`${exchange.name} ${key}: the log answers ${result.status}`)
      }
    } finally {
      producer.close()
    }
  }

  async exclusively<T>(exchange: Exchange, work: () => Promise<T>): Promise<T> {
    const { clock, directory } = this.#options
    makeDirectories(directory)
    const fd = openSync(join(directory, `.registry-${exchange.name}.lock`), 'a')
    try {
      const startedMs = clock.monotonicMs()
      while (!tryLockFile(fd)) {
        if (clock.monotonicMs() - startedMs > LOCK_MS_MAX) {
          throw new RegistryBusyError(`another process has been writing the registry of ${exchange.name} for ${LOCK_MS_MAX} ms`)
        }
        await delay(clock, LOCK_WAIT_MS)
      }
      return await work()
    } finally {
      closeSync(fd)
    }
  }

  #topic(exchange: Exchange): TopicConfig {
    return this.#options.topics.getTopicConfig(exchange.assetClass, 'reference_data', exchange.name)
  }
}
