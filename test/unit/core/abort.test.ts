import { expect, test } from 'vitest'
import { unlessAborted } from '../../../src/core/abort.js'

test('what is not aborted settles as it would', async () => {
  const { signal } = new AbortController()
  expect(await unlessAborted(Promise.resolve(1), signal)).toBe(1)
  await expect(unlessAborted(Promise.reject(new Error('x')), signal)).rejects.toThrow('x')
})

test('what is aborted is not waited for, and what comes of it is not heard', async () => {
  const abort = new AbortController()
  let fail: (error: Error) => void = () => undefined
  const waiting = unlessAborted(new Promise((_, reject) => (fail = reject)), abort.signal)
  abort.abort()
  expect(await waiting).toBeUndefined()
  fail(new Error('too late'))
  expect(await unlessAborted(new Promise(() => undefined), abort.signal)).toBeUndefined()
})
