/**
 * One partition of a consumer: one batch in flight, results, retries, dead letters, and the position that is committed after
 * them. Reads deliveries of the pump, calls the handler, commits. When the handler is slow the partition's cells stay taken
 * and the native thread waits.
 */
import { delay, PoisonRecordError, withCorrelation } from '../core/index.js'
import type { SlabBatch } from './batch.js'
import { type DeadLetter, reasonOf } from './dead-letter.js'
import type { Delivery } from './pump.js'
import { type Failed, Retries, type RetryPorts } from './retries.js'
import type { AppendStatus, ConsumerCounters, FailedRecord, Handler, HandlerContext, PartitionState } from './types.js'

export interface LanePorts extends Pick<RetryPorts, 'clock' | 'random' | 'policies'> {
  readonly handler: Handler
  readonly ordered: boolean
  readonly retriesWaitingMax: number
  readonly counters: ConsumerCounters
  readonly state: PartitionState
  commit(offset: number): 'ok' | 'fenced'
  free(delivery: Delivery): void
  bury(batch: SlabBatch, index: number, error: unknown, attempts: number, correlationId: string): Promise<AppendStatus>
  onError(error: unknown, batch: SlabBatch): void
  onFenced(): void
}

/** Every record of the message: what a handler that throws has failed. */
export const WHOLE = -1
const BURY_DELAY_MS = 1_000

export class Lane {
  readonly #ports: LanePorts
  readonly #abort = new AbortController()
  readonly #retries: Retries
  readonly #queue: Delivery[] = []
  readonly #between: { run(): Promise<void>; end(ran: boolean): void; fail(error: unknown): void }[] = []
  #running: Promise<void> | undefined
  #resume: (() => void) | undefined
  #closing = false
  #position: number
  #committed: number

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly generation: number,
    start: number,
    ports: LanePorts,
  ) {
    this.#ports = ports
    this.#position = start
    this.#committed = start
    this.#retries = new Retries({
      clock: ports.clock,
      random: ports.random,
      policies: ports.policies,
      again: (failed) => this.#again(failed),
      bury: (failed) => this.#bury(failed.batch, [failed.index], failed.error, failed.attempts),
      settled: () => {
        this.#commit()
        this.#resume?.()
      },
    })
  }

  /** Batches wait until the owner is ready for the partition. */
  start(ready: Promise<void>): void {
    this.#running = ready.then(() => this.#run())
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }
  get committed(): number {
    return this.#committed
  }
  get retriesWaiting(): number {
    return this.#retries.size
  }
  /** Its owner gives it up: what waits is left to the next one. */
  get isClosing(): boolean {
    return this.#closing
  }
  get paused(): boolean {
    return this.#resume !== undefined
  }

  push(delivery: Delivery): void {
    if (this.#closing) {
      this.#ports.free(delivery)
      return
    }
    this.#queue.push(delivery)
    if (this.#running === undefined) this.#running = this.#run()
  }

  /** Runs the work when no batch is in flight. False: the partition went away before it ran. */
  between(work: () => Promise<void>): Promise<boolean> {
    if (this.#closing) return Promise.resolve(false)
    return new Promise((end, fail) => {
      this.#between.push({ run: work, end, fail })
      if (this.#running === undefined) this.#running = this.#run()
    })
  }

  /** A dead letter that comes again; within `between`. What failed is the caller's to deal with. */
  redeliver(
    batch: SlabBatch,
    attempt: number,
    only: readonly number[] | undefined,
    letter: DeadLetter,
  ): Promise<readonly FailedRecord[]> {
    return this.#call(batch, attempt, only, letter)
  }

  /** Finishes the batch in flight and drops the rest; what waits for a retry is left to the next owner. */
  async close(): Promise<void> {
    this.#closing = true
    this.#resume?.()
    await this.#running
    this.#commit()
    this.#end()
  }

  /** The partition is another's: nothing of it counts any more. */
  lose(): void {
    this.#closing = true
    this.#abort.abort()
    this.#resume?.()
    this.#end()
  }

  #end(): void {
    this.#retries.end()
    for (const delivery of this.#queue.splice(0)) this.#ports.free(delivery)
    for (const work of this.#between.splice(0)) work.end(false)
    this.#abort.abort()
  }

  async #run(): Promise<void> {
    for (;;) {
      while (!this.#closing && this.#retries.size >= this.#ports.retriesWaitingMax) {
        await new Promise<void>((resolve) => {
          this.#resume = resolve
        })
        this.#resume = undefined
      }
      const work = this.#closing ? undefined : this.#between.shift()
      if (work !== undefined) {
        await work.run().then(() => work.end(true), work.fail)
        continue
      }
      const delivery = this.#closing ? undefined : this.#queue.shift()
      if (delivery === undefined) {
        this.#running = undefined
        return
      }
      const done = await this.#handle(delivery.batch)
      if (done) this.#position = delivery.batch.offset + delivery.batch.count
      this.#ports.free(delivery)
      if (done) this.#commit()
    }
  }

  /** False: the partition went away before the batch stood. */
  async #handle(batch: SlabBatch): Promise<boolean> {
    this.#ports.counters.batches++
    this.#ports.counters.records += batch.records
    let attempts = 0
    let only: readonly number[] | undefined
    for (;;) {
      const outcome = await this.#call(batch, attempts, only)
      if (this.#abort.signal.aborted) return false
      if (outcome.length === 0) return true
      const whole = outcome.find((failed) => failed.index === WHOLE)
      if (attempts === 0) this.#ports.counters.failed += whole === undefined ? outcome.length : batch.records
      if (whole === undefined && !this.#ports.ordered) {
        const copy = batch.copy()
        for (const { index, error } of outcome) this.#retries.add({ batch: copy, index, attempts: 0, error })
        return true
      }
      // The partition waits: for order's sake, or because the handler as a whole cannot work. Bounded by the policy.
      const worst = whole ?? outcome[0]
      if (worst === undefined) return true
      const waitMs = this.#retries.delayMs({ batch, index: worst.index, attempts, error: worst.error })
      if (waitMs === undefined) {
        const indices = whole === undefined ? outcome.map(({ index }) => index) : (only ?? allOf(batch))
        return await this.#bury(batch, indices, worst.error, attempts)
      }
      if (!(await this.#pause(waitMs))) return false
      attempts++
      only = whole === undefined ? outcome.map(({ index }) => index) : only
    }
  }

  /** False: closed meanwhile; the batch is repeated by the next owner. */
  async #pause(waitMs: number): Promise<boolean> {
    await new Promise<void>((resolve) => {
      const timer = this.#ports.clock.setTimer(resolve, waitMs)
      this.#resume = () => {
        timer.cancel()
        resolve()
      }
    })
    this.#resume = undefined
    return !this.#closing
  }

  async #call(
    batch: SlabBatch,
    attempt: number,
    only: readonly number[] | undefined,
    redrive?: DeadLetter,
  ): Promise<readonly FailedRecord[]> {
    if (batch.problem !== undefined) {
      // No handler can read it, and it stands in the way of those behind it.
      if (attempt === 0) this.#ports.counters.undecodable++
      return [{ index: 0, error: new PoisonRecordError(`the batch cannot be read: ${batch.problem}`) }]
    }
    const correlationId = this.#correlationOf(batch)
    const context: HandlerContext = {
      topic: this.topic,
      partition: this.partition,
      generation: this.generation,
      correlationId,
      attempt,
      only,
      redrive,
      signal: this.#abort.signal,
      state: this.#ports.state,
    }
    if (attempt > 0) this.#ports.counters.retried++
    try {
      const result = await withCorrelation(correlationId, () => this.#ports.handler(batch, context))
      return (result?.failed ?? []).filter(({ index }) => Number.isInteger(index) && index >= 0 && index < batch.records)
    } catch (error) {
      this.#ports.counters.handlerErrors++
      this.#ports.onError(error, batch)
      return [{ index: WHOLE, error }]
    }
  }

  async #again(failed: Failed): Promise<{ readonly error: unknown } | undefined> {
    const outcome = await this.#call(failed.batch, failed.attempts, [failed.index])
    const mine = outcome.find(({ index }) => index === failed.index || index === WHOLE)
    return mine === undefined ? undefined : { error: mine.error }
  }

  /** The committed position stays before the record until its dead letter is in the log. False: the partition went away first. */
  async #bury(batch: SlabBatch, indices: readonly number[], error: unknown, attempts: number): Promise<boolean> {
    for (const index of indices) {
      for (;;) {
        if (this.#abort.signal.aborted) return false
        const { status, cause } = await this.#tryBury(batch, index, error, attempts)
        if (status === 'ok') break
        if (status === 'fenced') {
          this.#ports.onFenced()
          return false
        }
        this.#ports.onError(new Error(`the dead letter was refused: ${status ?? reasonOf(cause)}`, { cause }), batch)
        if (this.#closing) return false
        await delay(this.#ports.clock, BURY_DELAY_MS, this.#abort.signal).catch(() => {})
      }
      this.#ports.counters.deadLetters++
    }
    return true
  }

  /** Whatever keeps the dead letter out of the log, an error too, is tried again: the record waits uncommitted. */
  async #tryBury(
    batch: SlabBatch,
    index: number,
    error: unknown,
    attempts: number,
  ): Promise<{ status?: AppendStatus; cause?: unknown }> {
    try {
      return { status: await this.#ports.bury(batch, index, error, attempts, this.#correlationOf(batch)) }
    } catch (cause) {
      return { cause }
    }
  }

  #commit(): void {
    const offset = Math.min(this.#position, this.#retries.oldest ?? Number.POSITIVE_INFINITY)
    if (offset === this.#committed || this.#abort.signal.aborted) return
    if (this.#ports.commit(offset) === 'ok') {
      this.#committed = offset
      this.#ports.counters.commits++
    } else {
      this.#ports.counters.fenced++
      this.#ports.onFenced()
    }
  }

  #correlationOf(batch: SlabBatch): string {
    return `${this.topic}/${this.partition}@${batch.offset}`
  }
}

const allOf = (batch: SlabBatch): readonly number[] => Array.from({ length: batch.records }, (_, index) => index)
