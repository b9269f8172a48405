/**
 * Time as a value that is passed in. Logic never calls Date.now or setTimeout: replay equals live, and tests steer the clock.
 */
export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall clock, ns since 1970 UTC. */
  wallNs(): bigint
  /** Wall clock, whole milliseconds. */
  wallMs(): number
  /** Never goes back; only differences mean something. */
  monotonicMs(): number
  /** Calls back once after the delay. */
  setTimer(callback: () => void, delayMs: number): Timer
}

export const systemClock: Clock = {
  wallNs: () => BigInt(Date.now()) * 1_000_000n,
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}
