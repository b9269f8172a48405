/** A clock that moves only when the test says so. Timers fire in order of their time, and in order of setting when equal. */
import type { Clock, Timer } from '../../src/core/clock.js'

interface Pending {
  readonly atNs: bigint
  readonly order: number
  readonly callback: () => void
}

export class FakeClock implements Clock {
  private nowNs: bigint
  private readonly startNs: bigint
  private order = 0
  private pending: Pending[] = []

  constructor(startNs = 1_700_000_000_000_000_000n) {
    this.nowNs = startNs
    this.startNs = startNs
  }

  wallNs = (): bigint => this.nowNs
  wallMs = (): number => Number(this.nowNs / 1_000_000n)
  monotonicNs = (): bigint => this.nowNs - this.startNs
  monotonicMs = (): number => Number(this.nowNs - this.startNs) / 1e6

  setTimer = (callback: () => void, delayMs: number): Timer => {
    const entry: Pending = { atNs: this.nowNs + BigInt(Math.round(Math.max(0, delayMs) * 1e6)), order: this.order++, callback }
    this.pending.push(entry)
    return {
      cancel: () => {
        this.pending = this.pending.filter((p) => p !== entry)
      },
    }
  }

  get timers(): number {
    return this.pending.length
  }

  /** Milliseconds until the next timer; undefined when there is none. */
  get nextDelayMs(): number | undefined {
    const next = this.next()
    return next === undefined ? undefined : Number(next.atNs - this.nowNs) / 1e6
  }

  private next(): Pending | undefined {
    return this.pending.toSorted((a, b) => (a.atNs === b.atNs ? a.order - b.order : a.atNs < b.atNs ? -1 : 1))[0]
  }

  /** Moves time on, firing what falls due; lets promises settle after each timer. */
  async advance(ms: number): Promise<void> {
    const untilNs = this.nowNs + BigInt(Math.round(ms * 1e6))
    for (;;) {
      const next = this.next()
      if (next === undefined || next.atNs > untilNs) break
      this.pending = this.pending.filter((p) => p !== next)
      this.nowNs = next.atNs
      next.callback()
      await settle()
    }
    this.nowNs = untilNs
    await settle()
  }
}

/** Lets everything that is already resolved run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}
