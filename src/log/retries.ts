/**
 * Failed records that wait for their next try, off the partition's loop. Bounded by its owner, who pauses the partition when
 * `size` reaches the limit. Reads nothing, writes dead letters through `bury`; one event loop.
 */
import { type Clock, type RetryClass, type RetryPolicy, retryClassOf, retryDelayMs, type Timer } from '../core/index.js'
import type { SlabBatch } from './batch.js'

export interface Failed {
  readonly batch: SlabBatch
  readonly index: number
  /** Retries made so far. */
  attempts: number
  error: unknown
}

export interface RetryPorts {
  readonly clock: Clock
  readonly random: () => number
  readonly policies: Readonly<Record<RetryClass, RetryPolicy>>
  /** Runs the handler on the record again: undefined when it stands, else the error. */
  again(failed: Failed): Promise<{ readonly error: unknown } | undefined>
  /** Dead-letters the record. False: the partition went away first, and the record stays uncommitted. */
  bury(failed: Failed): Promise<boolean>
  /** An entry left. */
  settled(): void
}

export class Retries {
  readonly #waiting = new Map<Failed, Timer | undefined>()
  readonly #ports: RetryPorts
  #ended = false

  constructor(ports: RetryPorts) {
    this.#ports = ports
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Offset of the oldest message with a record in retry. */
  get oldest(): number | undefined {
    let oldest: number | undefined
    for (const { batch } of this.#waiting.keys()) if (oldest === undefined || batch.offset < oldest) oldest = batch.offset
    return oldest
  }

  /** How long to wait before the next try; undefined: no more tries. */
  delayMs(failed: Failed): number | undefined {
    return retryDelayMs(this.#ports.policies[retryClassOf(failed.error)], failed.attempts + 1, this.#ports.random)
  }

  add(failed: Failed): void {
    if (this.#ended) return
    const delayMs = this.delayMs(failed)
    if (delayMs === undefined) {
      this.#waiting.set(failed, undefined)
      void this.#ports.bury(failed).then((buried) => buried && this.#remove(failed))
      return
    }
    this.#waiting.set(
      failed,
      this.#ports.clock.setTimer(() => void this.#again(failed), delayMs),
    )
  }

  /** The partition goes elsewhere: whoever has it next repeats these, for the committed position is before them. */
  end(): void {
    this.#ended = true
    for (const timer of this.#waiting.values()) timer?.cancel()
    this.#waiting.clear()
  }

  async #again(failed: Failed): Promise<void> {
    if (this.#ended) return
    failed.attempts++
    const outcome = await this.#ports.again(failed)
    if (this.#ended) return
    if (outcome === undefined) {
      this.#remove(failed)
      return
    }
    failed.error = outcome.error
    this.add(failed)
  }

  #remove(failed: Failed): void {
    this.#waiting.delete(failed)
    if (!this.#ended) this.#ports.settled()
  }
}
