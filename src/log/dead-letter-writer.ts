/**
 * Writes letters and marks of one group to the dead-letter topics. Makes a topic when its first letter comes. Refusals are
 * values, what nobody waited for is thrown: whoever buries waits and tries again, and commits nothing before the letter stands.
 * One event loop.
 */
import { DiskFullError, LogBusyError } from '../core/index.js'
import { type DeadLetterMessage, messageBytes } from './dead-letter.js'
import { deadLetterTopic } from './options.js'
import type { AppendStatus, Log, TopicOptions } from './types.js'

export class DeadLetterWriter {
  readonly #log: Log
  readonly #topicOptions: Omit<TopicOptions, 'name' | 'partitions'>
  readonly #partitionsOf: (topic: string) => number
  readonly #made = new Set<string>()

  constructor(
    log: Log,
    topicOptions: Omit<TopicOptions, 'name' | 'partitions'> | undefined,
    partitionsOf: (topic: string) => number,
  ) {
    this.#log = log
    this.#topicOptions = topicOptions ?? {}
    this.#partitionsOf = partitionsOf
  }

  async write(topic: string, partition: number, id: string, message: DeadLetterMessage): Promise<AppendStatus> {
    const name = deadLetterTopic(topic)
    if (!this.#made.has(name)) {
      try {
        await this.#make(name, this.#partitionsOf(topic))
      } catch (refused) {
        if (refused instanceof DiskFullError) return 'diskFull'
        if (refused instanceof LogBusyError) return 'busy'
        throw refused
      }
      this.#made.add(name)
    }
    return (await this.#log.append(name, partition, { kind: 'opaque', key: id, value: messageBytes(message) })).status
  }

  /** A topic that is there keeps its options: they were declared, or changed by somebody. */
  async #make(name: string, partitions: number): Promise<void> {
    const known = (await this.#log.topics()).find((topic) => topic.name === name)
    if (known !== undefined && known.partitions >= partitions) return
    await this.#log.ensureTopic({ ...(known ?? this.#topicOptions), name, partitions })
  }
}
