/**
 * Time as a value that is passed in. Logic never calls Date.now or setTimeout: replay equals live, and tests steer the clock.
 */
export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall clock, ns since 1970 UTC, carried by the monotonic clock: never back within a process. */
  wallNs(): bigint
  /** Wall clock, whole milliseconds. */
  wallMs(): number
  /** Never goes back; only differences mean something. */
  monotonicNs(): bigint
  monotonicMs(): number
  /** Calls back once after the delay. A pending timer keeps the process alive until it is cancelled. */
  setTimer(callback: () => void, delayMs: number): Timer
}

/** Resolves after the delay, on that clock; rejects with the signal's reason when it is aborted first. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = (): void => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.setTimer(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, delayMs)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** The machine's clock. The wall clock is read once and carried by the monotonic one, so a step of the machine's time moves nothing. */
export function createSystemClock(): Clock {
  const wallAtStart = BigInt(Date.now()) * 1_000_000n
  const monotonicAtStart = process.hrtime.bigint()
  const wallNs = (): bigint => wallAtStart + (process.hrtime.bigint() - monotonicAtStart)
  return {
    wallNs,
    wallMs: () => Number(wallNs() / 1_000_000n),
    monotonicNs: () => process.hrtime.bigint(),
    monotonicMs: () => performance.now(),
    setTimer: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs)
      return { cancel: () => clearTimeout(timer) }
    },
  }
}

export const systemClock: Clock = createSystemClock()
