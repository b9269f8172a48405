import { expect, test } from 'vitest'
import { z } from 'zod'
import { ConfigProblemsError, type EnvironmentOverride, loadConfig } from '../../../src/core/config.js'

const schema = z.strictObject({
  level: z.enum(['info', 'warn']).default('info'),
  api_token: z.string().max(4).optional(),
  ingestion: z
    .strictObject({ instance_id: z.int().min(1).max(128), symbols: z.array(z.string().regex(/^[A-Z]+$/)).default([]) })
    .default({ instance_id: 1, symbols: [] }),
})
const overrides: EnvironmentOverride[] = [{ name: 'INSTANCE_ID', path: ['ingestion', 'instance_id'], kind: 'integer' }]
const load = (text: string, environment: Record<string, string> = {}, given: Record<string, unknown> = {}) =>
  loadConfig({ schema, file: 'a.yaml', text, environment, overrides, given })

function problemsOf(work: () => unknown): string[] {
  try {
    work()
  } catch (error) {
    if (error instanceof ConfigProblemsError) return error.message.split('\n')
    throw error
  }
  throw new Error('it was accepted')
}

test('defaults, file, environment and command line, each above the one before', () => {
  expect(load('')).toEqual({ level: 'info', ingestion: { instance_id: 1, symbols: [] } })
  expect(load('ingestion: {instance_id: 2}').ingestion.instance_id).toBe(2)
  expect(load('ingestion: {instance_id: 2}', { INSTANCE_ID: '3' }).ingestion.instance_id).toBe(3)
  expect(load('ingestion: {instance_id: 2}', { INSTANCE_ID: '3' }, { ingestion: { instance_id: 4 } }).ingestion.instance_id).toBe(
    4,
  )
})

test('a problem names file, line, field, valid values and the fix; all problems are told at once', () => {
  const problems = problemsOf(() => load('level: loud\ningestion:\n  instance_id: 200\n  symbols: [BTC, eth]\n  colour: red\n'))
  expect(problems).toHaveLength(4)
  expect(problems[0]).toMatch(/^a\.yaml:1: level: "loud" is not valid; valid: info, warn; fix: /)
  expect(problems).toContainEqual(
    expect.stringMatching(/^a\.yaml:3: ingestion\.instance_id: 200 is above the most of 128; fix: /),
  )
  expect(problems).toContainEqual(expect.stringMatching(/^a\.yaml:4: ingestion\.symbols\[1\]: "eth": /))
  expect(problems).toContainEqual(expect.stringMatching(/^a\.yaml:5: ingestion\.colour: is not a setting; valid: .+; fix: /))
})

test('a bad environment variable is named, not the file', () => {
  expect(problemsOf(() => load('', { INSTANCE_ID: 'two' }))[0]).toMatch(
    /^environment INSTANCE_ID: ingestion\.instance_id: "two" is not a/,
  )
})

test('a secret is never quoted', () => {
  const problems = problemsOf(() => load('api_token: hunter2hunter2'))
  expect(problems.join()).not.toContain('hunter2')
})

test('what is not YAML, a missing file, an alias bomb and deep nesting are refused with a message', () => {
  expect(problemsOf(() => load('a: [1,\nb: }'))[0]).toMatch(/^a\.yaml:\d+: \(root\): /)
  expect(problemsOf(() => load('level: info\nlevel: warn'))[0]).toMatch(/^a\.yaml:2: /)
  expect(() => loadConfig({ schema, file: '/nowhere/x.yaml' })).toThrow(/no such file/)
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(9)}]\nc: &c [${'*b,'.repeat(9)}]\nd: &d [${'*c,'.repeat(9)}]\ne: [${'*d,'.repeat(9)}]`
  expect(() => load(bomb)).toThrow(ConfigProblemsError)
  expect(() => load('['.repeat(20_000))).toThrow(ConfigProblemsError)
  expect(() => load('just text')).toThrow(ConfigProblemsError)
})
