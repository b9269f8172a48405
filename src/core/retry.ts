/** Retry by class: how many tries, and how long between them. Randomness and time come in from outside. */
import { type Clock, delay } from './clock.js'
import { PlatformError, type RetryClass } from './errors.js'

export interface RetryPolicy {
  /** Tries after the first failure; 0 gives up at once. */
  readonly retriesMax: number
  readonly delayMsMin: number
  readonly delayMsMax: number
}

export const retryPolicies: Readonly<Record<RetryClass, RetryPolicy>> = {
  TRANSIENT: { retriesMax: 5, delayMsMin: 1_000, delayMsMax: 30_000 },
  INFRASTRUCTURE: { retriesMax: 3, delayMsMin: 2_000, delayMsMax: 60_000 },
  RATE_LIMIT: { retriesMax: 8, delayMsMin: 5_000, delayMsMax: 300_000 },
  BUSINESS: { retriesMax: 2, delayMsMin: 1_000, delayMsMax: 10_000 },
  AUTH: { retriesMax: 1, delayMsMin: 60_000, delayMsMax: 60_000 },
  POISON: { retriesMax: 0, delayMsMin: 0, delayMsMax: 0 },
}

const transientCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EAGAIN',
  'EBUSY',
])
const infrastructureCodes = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EIO', 'EROFS', 'EACCES'])

/** The class of any thrown value. What nobody foresaw is a mistake in a handler: trying again would only repeat it. */
export function retryClassOf(error: unknown): RetryClass {
  if (error instanceof PlatformError) return error.retryClass
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code === 'string' && transientCodes.has(code)) return 'TRANSIENT'
  if (typeof code === 'string' && infrastructureCodes.has(code)) return 'INFRASTRUCTURE'
  return 'POISON'
}

/**
 * Milliseconds to wait before retry number `retry` (from 1): doubled each time up to the maximum, then a jitter of 50 to
 * 100 % so that many failed pieces do not come back in step. Undefined: no more tries.
 */
export function retryDelayMs(policy: RetryPolicy, retry: number, random: () => number): number | undefined {
  if (retry < 1 || retry > policy.retriesMax) return undefined
  const full = Math.min(policy.delayMsMax, policy.delayMsMin * 2 ** (retry - 1))
  return Math.max(policy.delayMsMin, Math.round(full * (0.5 + 0.5 * random())))
}

export interface RetryContext {
  readonly clock: Clock
  readonly random: () => number
  readonly signal?: AbortSignal
  readonly onRetry?: (error: unknown, retry: number, delayMs: number) => void
}

/** Runs the work until it succeeds or its error's class gives up; then throws the last error. */
export async function retry<T>(work: () => Promise<T>, context: RetryContext): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work()
    } catch (error) {
      const waitMs = retryDelayMs(retryPolicies[retryClassOf(error)], failures, context.random)
      if (waitMs === undefined || context.signal?.aborted) throw error
      context.onRetry?.(error, failures, waitMs)
      await delay(context.clock, waitMs, context.signal)
    }
  }
}
