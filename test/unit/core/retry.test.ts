import { expect, test } from 'vitest'
import { systemClock } from '../../../src/core/clock.js'
import { BusinessError, PoisonRecordError } from '../../../src/core/errors.js'
import { retry } from '../../../src/core/retry.js'
import { FakeClock } from '../../support/fake-clock.js'

test('work is tried again by its class, on the clock that was given', async () => {
  const clock = new FakeClock()
  let tries = 0
  const waits: number[] = []
  const done = retry(
    async () => {
      if (++tries < 3) throw new BusinessError('not yet')
      return tries
    },
    { clock, random: () => 1, onRetry: (_error, _retry, delayMs) => waits.push(delayMs) },
  )
  await clock.advance(0)
  expect(tries).toBe(1)
  await clock.advance(1_000)
  expect(tries).toBe(2)
  await clock.advance(2_000)
  expect(await done).toBe(3)
  expect(waits).toEqual([1_000, 2_000])
})

test('poison is not tried again; an abort ends the wait', async () => {
  const clock = new FakeClock()
  let tries = 0
  await expect(
    retry(async () => Promise.reject(new PoisonRecordError(`${++tries}`)), { clock, random: () => 0 }),
  ).rejects.toThrow('1')
  const abort = new AbortController()
  const waiting = retry(async () => Promise.reject(new BusinessError('x')), { clock, random: () => 0, signal: abort.signal })
  const rejected = expect(waiting).rejects.toThrow('stop')
  await clock.advance(0)
  abort.abort(new Error('stop'))
  await rejected
  expect(clock.timers).toBe(0)
})

test('the system clock never goes back', () => {
  let last = systemClock.wallNs()
  for (let i = 0; i < 1_000; i++) {
    const now = systemClock.wallNs()
    expect(now >= last).toBe(true)
    last = now
  }
  expect(Math.abs(systemClock.wallMs() - Date.now())).toBeLessThan(5_000)
})
