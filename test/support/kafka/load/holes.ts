/** The longest time in which nothing happened, over all partitions and of each. Time is passed in, in ms. */
import type { Holes } from './orders.js'

export class HoleMeter {
  readonly #last: number[]
  readonly #longest: number[]
  #lastOfAny: number
  #longestOfAny = 0

  constructor(partitions: number, nowMs: number) {
    this.#last = Array.from({ length: partitions }, () => nowMs)
    this.#longest = Array.from({ length: partitions }, () => 0)
    this.#lastOfAny = nowMs
  }

  happened(partition: number, nowMs: number): void {
    this.#longest[partition] = Math.max(this.#longest[partition] ?? 0, nowMs - (this.#last[partition] ?? nowMs))
    this.#last[partition] = nowMs
    this.#longestOfAny = Math.max(this.#longestOfAny, nowMs - this.#lastOfAny)
    this.#lastOfAny = nowMs
  }

  /** Counts what is still open. */
  holes(nowMs: number): Holes {
    return {
      overall: Math.round(Math.max(this.#longestOfAny, nowMs - this.#lastOfAny)),
      partitions: this.#longest.map((longest, p) => Math.round(Math.max(longest, nowMs - (this.#last[p] ?? nowMs)))),
    }
  }
}

/** `acks 2.9 s (by partition 2.9 3.0 …), deliveries …` */
export function toldHoles(holes: Readonly<Record<string, Holes>>): string {
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1)
  return Object.entries(holes)
    .map(([what, { overall, partitions }]) => `${what} ${seconds(overall)} s (by partition ${partitions.map(seconds).join(' ')})`)
    .join(', ')
}
