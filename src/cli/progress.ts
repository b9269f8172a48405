/** One line that is written over, on a terminal only; a pipe gets nothing. */
import type { Timer } from '../core/clock.js'
import type { Io } from './io.js'

const EVERY_MS = 200

export class Progress {
  readonly #io: Io
  readonly #line: (elapsedS: number) => string
  readonly #startedMs: number
  #timer: Timer | undefined

  /** `line` is asked for the text five times a second. */
  constructor(io: Io, line: (elapsedS: number) => string) {
    this.#io = io
    this.#line = line
    this.#startedMs = io.clock.monotonicMs()
    if (io.isErrTty) this.#next()
  }

  /** Takes the line away. */
  end(): void {
    this.#timer?.cancel()
    if (this.#io.isErrTty) this.#io.err('\r\x1b[K')
  }

  #next(): void {
    const elapsedS = Math.max(0.001, (this.#io.clock.monotonicMs() - this.#startedMs) / 1_000)
    this.#io.err(`\r\x1b[K${this.#line(elapsedS)}`)
    this.#timer = this.#io.clock.setTimer(() => this.#next(), EVERY_MS)
  }
}

/** `12.3 k`, `4.5 M`. */
export function countText(count: number): string {
  if (count < 10_000) return String(Math.round(count))
  if (count < 1e6) return `${(count / 1e3).toFixed(1)} k`
  return `${(count / 1e6).toFixed(1)} M`
}
