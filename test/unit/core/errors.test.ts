import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as errors from '../../../src/core/errors.js'
import { retryClassOf, retryDelayMs, retryPolicies } from '../../../src/core/retry.js'

const classes = Object.values(errors).filter(
  (value): value is typeof errors.ConfigError => typeof value === 'function' && value.prototype instanceof errors.PlatformError,
)

test('codes are unique and every error of the source stands in the catalog with its class and exit code', () => {
  const document = readFileSync('docs/reference/errors.md', 'utf8')
  const listed = new Map(
    [...document.matchAll(/^\| `(MD_[A-Z_]+)` \| `(\w+)` \| (\w+) \| (\d) \|/gm)].map((m) => [
      m[1],
      { name: m[2], retry: m[3], exit: Number(m[4]) },
    ]),
  )
  expect(new Set(classes.map((c) => c.code)).size).toBe(classes.length)
  expect(Object.fromEntries(listed)).toEqual(
    Object.fromEntries(classes.map((c) => [c.code, { name: c.name, retry: c.retryClass, exit: c.exitCode }])),
  )
})

test('errors are declared in the catalog file alone', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
    (f) => f.endsWith('.ts') && f !== join('core', 'errors.ts'),
  )
  const elsewhere = files.filter((f) => /static override readonly code\b/.test(readFileSync(join('src', f), 'utf8')))
  expect(elsewhere).toEqual([])
})

test('an error takes name, code and class from its class and keeps its cause', () => {
  const cause = new Error('why')
  const error = new errors.DiskFullError('full', { cause, field: 'data_dir' })
  expect(error).toMatchObject({
    name: 'DiskFullError',
    code: 'MD_DISK_FULL',
    retryClass: 'INFRASTRUCTURE',
    exitCode: 3,
    cause,
    field: 'data_dir',
  })
  expect(error).toBeInstanceOf(errors.EnvironmentError)
})

test('delays of every class stay inside its bounds and end after its tries', () => {
  let checked = 0
  for (const policy of Object.values(retryPolicies)) {
    for (const random of [() => 0, () => 0.5, () => 0.999_999]) {
      for (let retry = 1; retry <= policy.retriesMax; retry++) {
        const wait = retryDelayMs(policy, retry, random)
        expect(wait).toBeGreaterThanOrEqual(policy.delayMsMin)
        expect(wait).toBeLessThanOrEqual(policy.delayMsMax)
        checked++
      }
      expect(retryDelayMs(policy, policy.retriesMax + 1, random)).toBeUndefined()
    }
  }
  expect(checked).toBe(3 * (5 + 3 + 8 + 2 + 1))
})

test('system errors are classed by their code, unforeseen ones are poison', () => {
  expect(retryClassOf(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))).toBe('TRANSIENT')
  expect(retryClassOf(Object.assign(new Error('x'), { code: 'ENOSPC' }))).toBe('INFRASTRUCTURE')
  expect(retryClassOf(new TypeError('x'))).toBe('POISON')
  expect(retryClassOf('text')).toBe('POISON')
  expect(retryClassOf(new errors.FeedRateLimitError('x'))).toBe('RATE_LIMIT')
})
