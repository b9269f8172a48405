/**
 * Moves a flat topic's messages to the topics they belong to, or back, while either side is still written. What it wrote says where it
 * came from, so it needs no state of its own: after a crash it looks what is there and goes on, and the same look tells whether both
 * sides agree. One loop; a slow cluster slows it down, and the lag is what `copy` still answers.
 */
import type { KafkaAdmin, KafkaProperties } from '../../native/kafka.js'
import { MessageWriter, type OutgoingMessage, type PlainMessage, readMessages, type Stretch } from './topics-messages.js'
import { ORIGIN_HEADER, originOf, originText, REASON_HEADER, type Route } from './topics-routes.js'
import { compareSums, OffsetSet, Sums, type TopicComparison } from './topics-sums.js'

export interface MoveOptions {
  readonly admin: KafkaAdmin
  readonly properties: KafkaProperties
  /** Read from; those that are not there are left out. */
  readonly from: readonly string[]
  /** What may be written to. */
  readonly to: readonly string[]
  /** Where messages go that belong nowhere. */
  readonly deadLetters: string
  readonly route: Route
  /** Makes the topics that are written to, before the first message to them. */
  readonly ensure: (topics: readonly string[]) => Promise<void>
}

export interface MoveResult {
  /** Messages by the topic they went to. */
  readonly moved: Readonly<Record<string, number>>
  /** Dead letters by reason. */
  readonly deadLetters: Readonly<Record<string, number>>
}

export interface Reconciliation {
  readonly topics: readonly TopicComparison[]
  /** Messages of the old side that stand twice on the new one. */
  readonly repeated: number
  readonly deadLetters: number
}

interface Moving extends OutgoingMessage {
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: number }
  readonly reason: string | undefined
}

const name = (topic: string, partition: number): string => `${topic}/${partition}`

export class TopicMover {
  readonly #options: MoveOptions
  readonly #targets: readonly string[]
  readonly #ensured = new Set<string>()
  /** What stands on the other side, looked at once and kept since. */
  #seen: ReadonlyMap<string, OffsetSet> | undefined
  /** Everything before these offsets was copied; undefined: this mover has copied nothing. */
  #positions: Map<string, number> | undefined

  constructor(options: MoveOptions) {
    this.#options = options
    this.#targets = [...options.to, options.deadLetters]
  }

  /** What `copy` would do; nothing is written. */
  survey(signal?: AbortSignal): Promise<MoveResult> {
    return this.#pass(undefined, signal)
  }

  /** Copies what was not copied yet, up to the ends as they are now. */
  async copy(signal?: AbortSignal): Promise<MoveResult> {
    let writer: MessageWriter | undefined
    try {
      return await this.#pass(async (messages) => {
        await this.#ensure(messages)
        // A follower copies every second: no producer connects when nothing is new.
        writer ??= await MessageWriter.open(this.#options.properties)
        await writer.send(messages)
      }, signal)
    } finally {
      await writer?.close()
    }
  }

  async #pass(write: ((messages: readonly Moving[]) => Promise<void>) | undefined, signal?: AbortSignal): Promise<MoveResult> {
    const stretches = await this.#stretches(this.#options.from)
    this.#seen ??= (await this.#look(stretches, signal)).seen
    const moved: Record<string, number> = {}
    const deadLetters: Record<string, number> = {}
    const left = stretches.map((s) => ({ ...s, begin: this.#positions?.get(name(s.topic, s.partition)) ?? s.begin }))
    for await (const messages of readMessages(this.#options.properties, left, signal)) {
      const moving = messages.filter((m) => !this.#isThere(m)).map((m) => this.#moving(m))
      for (const { topic, reason } of moving) {
        if (reason === undefined) moved[topic] = (moved[topic] ?? 0) + 1
        else deadLetters[reason] = (deadLetters[reason] ?? 0) + 1
      }
      if (moving.length > 0) await write?.(moving)
    }
    if (write !== undefined) this.#positions = new Map(stretches.map((s) => [name(s.topic, s.partition), s.end]))
    return { moved, deadLetters }
  }

  #moving(message: PlainMessage): Moving {
    const { topic, partition, offset, key, value, timestampMs } = message
    const routed = this.#options.route(topic, value)
    const origin = { topic, partition, offset }
    const headers = { [ORIGIN_HEADER]: originText(topic, partition, offset) }
    if (!('reason' in routed)) return { ...routed, timestampMs, headers, origin, reason: undefined }
    const { reason } = routed
    return {
      topic: this.#options.deadLetters,
      key,
      value,
      timestampMs,
      headers: { ...headers, [REASON_HEADER]: reason },
      origin,
      reason,
    }
  }

  #isThere({ topic, partition, offset, headers }: PlainMessage): boolean {
    return this.#cameFromThere(headers) || this.#seen?.get(name(topic, partition))?.has(offset) === true
  }

  async #ensure(messages: readonly Moving[]): Promise<void> {
    const missing = [...new Set(messages.map((m) => m.topic))].filter((topic) => !this.#ensured.has(topic))
    if (missing.length === 0) return
    await this.#options.ensure(missing)
    for (const topic of missing) this.#ensured.add(topic)
  }

  /** Both sides read again from the beginning, up to where this mover has copied, and compared, key by key. */
  async reconcile(signal?: AbortSignal): Promise<Reconciliation> {
    const { properties, from, route, deadLetters } = this.#options
    const stretches = (await this.#stretches(from)).map((s) => ({ ...s, end: this.#copiedTo(s) }))
    const expected = new Sums()
    for await (const messages of readMessages(properties, stretches, signal)) {
      for (const message of messages) {
        if (this.#cameFromThere(message.headers)) continue
        const routed = route(message.topic, message.value)
        if ('reason' in routed) expected.add(deadLetters, message.key ?? '', message.value)
        else expected.add(routed.topic, routed.key, routed.value)
      }
    }
    const { sums, repeated } = await this.#look(stretches, signal)
    const letters = [...sums.of(deadLetters).values()].reduce((n, s) => n + s.count, 0)
    return { topics: compareSums(expected, sums), repeated, deadLetters: letters }
  }

  /** What arrived after the last copy is not missing, it is next. */
  #copiedTo(s: Stretch): number {
    if (this.#positions === undefined) return s.end
    return Math.min(s.end, this.#positions.get(name(s.topic, s.partition)) ?? s.begin)
  }

  /** What of these stretches stands on the other side. */
  async #look(stretches: readonly Stretch[], signal: AbortSignal | undefined) {
    const seen = new Map(stretches.map((s) => [name(s.topic, s.partition), new OffsetSet(s.begin)]))
    const within = new Map(stretches.map((s) => [name(s.topic, s.partition), s]))
    const sums = new Sums()
    let repeated = 0
    const targets = await this.#stretches(this.#targets)
    for await (const messages of readMessages(this.#options.properties, targets, signal)) {
      for (const { topic, key, value, headers } of messages) {
        const origin = originOf(headers.get(ORIGIN_HEADER))
        const stretch = origin === undefined ? undefined : within.get(name(origin.topic, origin.partition))
        // Not moved by us, or what the old side has deleted since or written meanwhile.
        if (origin === undefined || stretch === undefined || origin.offset < stretch.begin || origin.offset >= stretch.end)
          continue
        if (seen.get(name(origin.topic, origin.partition))?.add(origin.offset) === true) sums.add(topic, key ?? '', value)
        else repeated++
      }
    }
    return { seen, sums, repeated }
  }

  /** What a move in the other direction brought here is not moved back. */
  #cameFromThere(headers: ReadonlyMap<string, string>): boolean {
    const origin = originOf(headers.get(ORIGIN_HEADER))
    return origin !== undefined && this.#options.to.includes(origin.topic)
  }

  async #stretches(topics: readonly string[]): Promise<Stretch[]> {
    const held = await this.#options.admin.topics(topics)
    const partitions = held.flatMap((t) => t.partitions.map(({ partition }) => ({ topic: t.name, partition })))
    return partitions.length === 0 ? [] : [...(await this.#options.admin.offsets(partitions))]
  }
}
