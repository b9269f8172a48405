/**
 * Dead letters of whole messages that a native processor could not read: it goes on and tells their offsets, and whoever watches it
 * has them buried here. Reads the input topic, writes its dead letters; the same message gives the same letter, so asking twice adds none.
 * Nobody reads requests for them: each letter says that it cannot be redriven.
 */
import { PoisonRecordError } from '../core/index.js'
import { letterOf } from './dead-letter.js'
import { DeadLetterWriter } from './dead-letter-writer.js'
import type { AppendStatus, Log, TopicOptions } from './types.js'

export class MessageBurier {
  readonly #log: Log
  readonly #group: string
  readonly #nowNs: () => bigint
  readonly #writer: DeadLetterWriter
  readonly #buried = new Set<string>()

  constructor(
    log: Log,
    group: string,
    partitions: ReadonlyMap<string, number>,
    nowNs: () => bigint,
    topicOptions?: Omit<TopicOptions, 'name' | 'partitions'>,
  ) {
    this.#log = log
    this.#group = group
    this.#nowNs = nowNs
    this.#writer = new DeadLetterWriter(log, topicOptions, (topic) => partitions.get(topic) ?? 1)
  }

  /** `ok` also when retention took the message meanwhile: there is nothing left to bury. */
  async bury(topic: string, partition: number, offset: number): Promise<AppendStatus> {
    const at = `${topic}/${partition}@${offset}`
    if (this.#buried.has(at)) return 'ok'
    const range = { topics: [topic], partitions: [partition], from: { offset }, to: { offset: offset + 1 } }
    for await (const batch of this.#log.read(range)) {
      if (batch.offset !== offset) break
      const error = new PoisonRecordError('the batch cannot be read')
      const obstacle = `${this.#group} is a native processor, which tries no message again`
      const death = { log: this.#log.id, group: this.#group, batch, index: 0, error, attempts: 1, correlationId: at }
      const letter = letterOf({ ...death, tsDead: this.#nowNs(), obstacle })
      const status = await this.#writer.write(topic, partition, letter.id, letter)
      if (status !== 'ok') return status
    }
    this.#buried.add(at)
    return 'ok'
  }
}
