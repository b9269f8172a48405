/**
 * Tries dead letters of one partition again, for the member that owns the partition. Reads the partition of the dead-letter
 * topic, calls the handler between two batches, writes a mark or a new letter before the next batch goes; one event loop.
 * Looks every second while the partition has letters; a slow handler leaves the requests where they are, in the log.
 */
import { type Clock, delay, LogError, type RetryClass, type RetryPolicy, retryClassOf, retryDelayMs } from '../core/index.js'
import type { SlabBatch } from './batch.js'
import { batchOf, type DeadLetter, messageOf, type RedrivenMark, reasonOf } from './dead-letter.js'
import { DeadLetterBook } from './dead-letter-book.js'
import { type Lane, WHOLE } from './lane.js'
import { deadLetterTopic } from './options.js'
import type { AppendStatus, FailedRecord, Log } from './types.js'

const LOOK_MS = 1_000
/** Letters that wait for a retry at a time. */
const WAITING_MAX = 16

export interface RedriverPorts {
  readonly log: Pick<Log, 'describe' | 'read' | 'topics'>
  readonly group: string
  readonly clock: Clock
  readonly random: () => number
  readonly policies: Readonly<Record<RetryClass, RetryPolicy>>
  readonly counters: { redriven: number; deadLetters: number }
  bury(
    batch: SlabBatch,
    failed: FailedRecord,
    attempts: number,
    before: { letter: DeadLetter; at: number },
  ): Promise<AppendStatus>
  mark(id: string, mark: RedrivenMark): Promise<AppendStatus>
  onError(error: unknown): void
}

export class Redriver {
  readonly #lane: Lane
  readonly #ports: RedriverPorts
  readonly #topic: string
  readonly #book = new DeadLetterBook()
  /** Offsets of letters that this owner tries or has settled: the book learns how it ended with the next read. */
  readonly #taken = new Set<number>()
  readonly #running = new Set<Promise<void>>()
  #seen = 0
  /** The dead-letter topic has the partition: known until it does not answer. */
  #isThere = false
  /** The book may hold requests that nobody took: until it has been looked through and had none. */
  #hasRequests = false
  #isWoken = false
  #looking: Promise<void> | undefined

  constructor(lane: Lane, ports: RedriverPorts) {
    this.#lane = lane
    this.#ports = ports
    this.#topic = deadLetterTopic(lane.topic)
  }

  /** Looks now and then from here on, if the partition has letters; called at assignment and after each new letter. */
  wake(): void {
    this.#isWoken = true
    this.#looking ??= this.#look()
  }

  /** Resolves when nothing of it runs; the lane has been closed. */
  async ended(): Promise<void> {
    await this.#looking
    await Promise.all(this.#running)
  }

  async #look(): Promise<void> {
    const { clock, onError } = this.#ports
    const { signal } = this.#lane
    while (!signal.aborted) {
      try {
        this.#isWoken = false
        const end = await this.#end()
        if (end === 0) {
          if (this.#isWoken) continue
          // At once, not when the promise settles: a wake between the two would be lost.
          this.#looking = undefined
          return
        }
        if (end > this.#seen) {
          this.#hasRequests = true
          await this.#read(end)
        }
        if (this.#hasRequests) await this.#takeRequests()
      } catch (error) {
        if (!signal.aborted) onError(error)
      }
      await delay(clock, LOOK_MS, signal).catch(() => {})
    }
  }

  /** 0: the partition has no letters, or is not there yet. Throws when it is there and does not answer. */
  async #end(): Promise<number> {
    const { log } = this.#ports
    const { partition } = this.#lane
    // On Kafka this asks the brokers for every name they have.
    this.#isThere ||= (await log.topics()).some(({ name, partitions }) => name === this.#topic && partition < partitions)
    if (!this.#isThere) return 0
    const info = await log.describe(this.#topic, partition)
    this.#isThere = info !== undefined
    // Brokers that are away give nothing, too: whoever took that for an empty partition would not look again.
    if (info === undefined) throw new LogError(`${this.#topic} partition ${partition} does not say where it ends`)
    return info.endOffset
  }

  async #read(end: number): Promise<void> {
    const { partition } = this.#lane
    const prefix = `${this.#ports.group}/`
    const range = { topics: [this.#topic], partitions: [partition], from: { offset: this.#seen }, to: { offset: end } }
    for await (const { offset, count, key, value } of this.#ports.log.read(range)) {
      if (this.#lane.signal.aborted) return
      const message = key.startsWith(prefix) ? messageOf(value) : undefined
      if (message !== undefined) this.#book.apply(offset, key, message)
      this.#seen = offset + count
    }
    this.#seen = end
  }

  /** Starts what was asked for; waits only when many letters wait for a retry. */
  async #takeRequests(): Promise<void> {
    const wanted: number[] = []
    for (const { at, state } of this.#book.entries) if (state === 'requested' && !this.#taken.has(at)) wanted.push(at)
    this.#hasRequests = wanted.length > 0
    if (!this.#hasRequests) return
    wanted.sort((a, b) => a - b)
    const range = { from: { offset: wanted[0] ?? 0 }, to: { offset: (wanted.at(-1) ?? 0) + 1 } }
    const remaining = new Set(wanted)
    for await (const { offset, value } of this.#ports.log.read({
      topics: [this.#topic],
      partitions: [this.#lane.partition],
      ...range,
    })) {
      if (this.#lane.signal.aborted) return
      const letter = remaining.has(offset) ? messageOf(value) : undefined
      if (letter?.kind !== 'letter') continue
      remaining.delete(offset)
      this.#taken.add(offset)
      const done: Promise<void> = this.#redrive(letter, offset)
        .catch((error: unknown) => {
          this.#taken.delete(offset)
          this.#hasRequests = true
          this.#ports.onError(error)
        })
        .finally(() => this.#running.delete(done))
      this.#running.add(done)
      if (this.#running.size >= WAITING_MAX) await Promise.race(this.#running)
    }
    // Retention was faster: there is nothing left to try.
    for (const at of remaining) this.#taken.add(at)
  }

  /** By the policy of what it dies of, as on first delivery; ends in a mark or in a new letter, each one message. */
  async #redrive(letter: DeadLetter, at: number): Promise<void> {
    const { clock, policies, random, onError } = this.#ports
    let batch: SlabBatch
    try {
      batch = batchOf(letter, clock.wallNs())
    } catch (cause) {
      const what = `the dead letter ${letter.id} at ${at} of ${this.#topic} cannot be redriven: ${reasonOf(cause)}`
      onError(new LogError(what, { cause }))
      return
    }
    let only: readonly number[] | undefined
    for (let attempts = 0; ; attempts++) {
      let waitMs: number | undefined
      const ran = await this.#lane.between(async () => {
        const failed = await this.#lane.redeliver(batch, attempts, only, letter)
        if (this.#lane.signal.aborted) return
        const first = failed[0]
        waitMs = first === undefined ? undefined : retryDelayMs(policies[retryClassOf(first.error)], attempts + 1, random)
        if (waitMs === undefined) await this.#settle(batch, failed, attempts, letter, at)
        else only = first?.index === WHOLE ? only : failed.map(({ index }) => index)
      })
      if (!ran || waitMs === undefined || this.#lane.signal.aborted) return
      await delay(clock, waitMs, this.#lane.signal).catch(() => {})
    }
  }

  async #settle(
    batch: SlabBatch,
    failed: readonly FailedRecord[],
    attempts: number,
    letter: DeadLetter,
    at: number,
  ): Promise<void> {
    const { bury, mark, clock, counters } = this.#ports
    // A handler that threw has failed the letter as it is.
    const all = Array.from({ length: batch.records }, (_, index) => index)
    const dead = failed.flatMap((each) => (each.index === WHOLE ? all.map((index) => ({ ...each, index })) : [each]))
    let isDeadAgain = false
    for (const each of dead) {
      if (!(await this.#stands(() => bury(batch, each, attempts, { letter, at })))) return
      counters.deadLetters++
      if (letter.recordType !== undefined || each.index === letter.index) isDeadAgain = true
    }
    if (isDeadAgain) return
    const redriven: RedrivenMark = { kind: 'redriven', letter: at, tsRedriven: clock.wallNs().toString() }
    if (await this.#stands(() => mark(letter.id, redriven))) counters.redriven++
  }

  /** The partition waits: without the mark the next owner would try the letter again. False: it went away first. */
  async #stands(write: () => Promise<AppendStatus>): Promise<boolean> {
    const { clock, onError } = this.#ports
    for (;;) {
      let status: AppendStatus | undefined
      let cause: unknown
      try {
        status = await write()
      } catch (error) {
        cause = error
      }
      if (status === 'ok') return true
      if (status === 'fenced' || this.#lane.signal.aborted || this.#lane.isClosing) return false
      onError(new LogError(`${this.#topic} took no mark of a redrive: ${status ?? reasonOf(cause)}`, { cause }))
      await delay(clock, LOOK_MS, this.#lane.signal).catch(() => {})
    }
  }
}
