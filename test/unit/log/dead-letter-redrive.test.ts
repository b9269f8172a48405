import { expect, test } from 'vitest'
import { retryPolicies } from '../../../src/core/index.js'
import { Redriver, type RedriverPorts } from '../../../src/log/dead-letter-redrive.js'
import type { Lane } from '../../../src/log/lane.js'
import { FakeClock, settle } from '../../support/fake-clock.js'

function bench(topics: { name: string; partitions: number; compact: boolean }[]) {
  const clock = new FakeClock()
  const abort = new AbortController()
  const errors: string[] = []
  const answers: (number | undefined)[] = []
  const reads: number[] = []
  let looks = 0
  const log = {
    topics: async () => topics,
    describe: async () => {
      looks++
      const endOffset = answers.shift()
      return endOffset === undefined ? undefined : { beginOffset: 0, endOffset }
    },
    async *read({ to }: { to?: { offset: number } }) {
      reads.push(to?.offset ?? -1)
      yield* []
    },
  } as unknown as RedriverPorts['log']
  const lane = { topic: 't', partition: 1, signal: abort.signal } as unknown as Lane
  const redriver = new Redriver(lane, {
    log,
    group: 'g',
    clock,
    random: () => 0.5,
    policies: retryPolicies,
    counters: { redriven: 0, deadLetters: 0 },
    bury: async () => 'ok',
    mark: async () => 'ok',
    onError: (error) => void errors.push(String(error)),
  })
  return { clock, abort, errors, answers, reads, redriver, looks: () => looks }
}

test('a broker that does not answer is asked again', async () => {
  const { clock, abort, errors, answers, reads, redriver } = bench([{ name: 't.dlq', partitions: 2, compact: false }])
  answers.push(undefined, undefined, 4)
  redriver.wake()
  await settle()
  await clock.advance(1_000)
  expect(errors).toHaveLength(2)
  expect(errors[0]).toContain('t.dlq partition 1 does not say where it ends')
  expect(reads).toEqual([])
  await clock.advance(1_000)
  expect(reads).toEqual([4])
  abort.abort()
  await redriver.ended()
})

test.each([
  ['no dead-letter topic', []],
  ['one with fewer partitions', [{ name: 't.dlq', partitions: 1, compact: false }]],
])('%s: it looks no more until it is woken', async (_, topics) => {
  const { clock, errors, redriver, looks } = bench(topics)
  redriver.wake()
  await redriver.ended()
  expect(clock.timers).toBe(0)
  expect(looks()).toBe(0)
  expect(errors).toEqual([])
})
