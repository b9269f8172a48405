import { expect, test, vi } from 'vitest'
import { PoisonRecordError, retryPolicies } from '../../../src/core/index.js'
import { SlabBatch } from '../../../src/log/batch.js'
import { type DeadLetter, type DeadLetterMessage, letterOf, messageBytes } from '../../../src/log/dead-letter.js'
import { DeadLetterBook } from '../../../src/log/dead-letter-book.js'
import { Redriver, type RedriverPorts } from '../../../src/log/dead-letter-redrive.js'
import type { Lane } from '../../../src/log/lane.js'
import { FakeClock, settle } from '../../support/fake-clock.js'

interface Told {
  readonly key: string
  readonly message: DeadLetterMessage
}

function bench(topics: { name: string; partitions: number; compact: boolean }[]) {
  const clock = new FakeClock()
  const abort = new AbortController()
  const errors: string[] = []
  const answers: (number | undefined)[] = []
  /** Of the partition, by offset; undefined: retention took it. Its end, when no answer is prepared. */
  const told: (Told | undefined)[] = []
  const reads: number[] = []
  const marked: string[] = []
  const redelivered: string[] = []
  const asked = { topics: 0, looks: 0 }
  const log = {
    topics: async () => {
      asked.topics++
      return [...topics]
    },
    describe: async () => {
      asked.looks++
      const endOffset = answers.length > 0 ? answers.shift() : told.length
      return endOffset === undefined ? undefined : { beginOffset: 0, endOffset }
    },
    async *read({ from, to }: { from: { offset: number }; to: { offset: number } }) {
      reads.push(to.offset)
      for (const [i, each] of told.slice(from.offset, to.offset).entries()) {
        if (each === undefined) continue
        yield { offset: from.offset + i, count: 1, key: each.key, value: messageBytes(each.message) }
      }
    },
  } as unknown as RedriverPorts['log']
  const lane = {
    topic: 't',
    partition: 1,
    signal: abort.signal,
    between: async (work: () => Promise<void>) => {
      await work()
      return true
    },
    redeliver: async (_batch: unknown, _attempts: number, _only: unknown, letter: DeadLetter) => {
      redelivered.push(letter.id)
      return []
    },
  } as unknown as Lane
  const redriver = new Redriver(lane, {
    log,
    group: 'g',
    clock,
    random: () => 0.5,
    policies: retryPolicies,
    counters: { redriven: 0, deadLetters: 0 },
    bury: async () => 'ok',
    mark: async (id) => {
      marked.push(id)
      return 'ok'
    },
    onError: (error) => void errors.push(String(error)),
  })
  const end = async (): Promise<void> => {
    abort.abort()
    await redriver.ended()
  }
  return { clock, errors, answers, told, reads, marked, redelivered, asked, lane, redriver, end }
}

const dlq = { name: 't.dlq', partitions: 2, compact: false }
/** Of the record at that offset of the topic. */
function letter(offset: number): Told {
  const batch = new SlabBatch('t', 1, offset, 1, 'opaque', new Uint8Array([7]), new Uint8Array(), undefined)
  const death = { log: 'l', group: 'g', batch, index: 0, attempts: 1, correlationId: 'c', tsDead: 1n }
  const message = letterOf({ ...death, error: new PoisonRecordError('bad') })
  return { key: message.id, message }
}
const request = ({ key }: Told, at: number): Told => ({ key, message: { kind: 'redrive', letter: at, tsRequested: '1' } })

test('a broker that does not answer is asked again', async () => {
  const { clock, errors, answers, reads, redriver, end } = bench([dlq])
  answers.push(undefined, undefined, 4)
  redriver.wake()
  await settle()
  await clock.advance(1_000)
  expect(errors).toHaveLength(2)
  expect(errors[0]).toContain('t.dlq partition 1 does not say where it ends')
  expect(reads).toEqual([])
  await clock.advance(1_000)
  expect(reads).toEqual([4])
  await end()
})

test.each([
  ['no dead-letter topic', []],
  ['one with fewer partitions', [{ ...dlq, partitions: 1 }]],
])('%s: it looks no more until it is woken', async (_, topics) => {
  const { clock, errors, redriver, asked } = bench(topics)
  redriver.wake()
  await redriver.ended()
  expect(clock.timers).toBe(0)
  expect(asked.looks).toBe(0)
  expect(errors).toEqual([])
})

test('the topic is looked for until it is there, and again when it does not answer', async () => {
  const topics: (typeof dlq)[] = []
  const { clock, answers, told, asked, redriver, end } = bench(topics)
  redriver.wake()
  await settle()
  topics.push(dlq)
  told.push(letter(3))
  redriver.wake()
  await settle()
  await clock.advance(5_000)
  expect(asked).toEqual({ topics: 2, looks: 6 })
  answers.push(undefined)
  await clock.advance(2_000)
  expect(asked).toEqual({ topics: 3, looks: 8 })
  topics.length = 0
  answers.push(undefined)
  await clock.advance(2_000)
  // It was deleted.
  expect([asked, clock.timers]).toEqual([{ topics: 4, looks: 9 }, 0])
  await end()
})

test('the book is looked through only after something was read', async () => {
  const { clock, told, reads, marked, redriver, end } = bench([dlq])
  const entries = vi.spyOn(DeadLetterBook.prototype, 'entries', 'get')
  const first = letter(3)
  told.push(first)
  redriver.wake()
  await settle()
  await clock.advance(5_000)
  expect([reads, entries.mock.calls.length]).toEqual([[1], 1])
  told.push(request(first, 0))
  await clock.advance(5_000)
  // Once to find the request, once to find that there are no more.
  expect([reads, entries.mock.calls.length]).toEqual([[1, 2, 1], 3])
  expect(marked).toEqual([first.key])
  entries.mockRestore()
  await end()
})

test('a requested letter that retention took is looked for once, and does not hold up the others', async () => {
  const { clock, errors, told, reads, marked, redriver, end } = bench([dlq])
  const [gone, kept] = [letter(3), letter(4)]
  told.push(gone, kept)
  redriver.wake()
  await settle()
  told.push(request(gone, 0), request(kept, 1))
  told[0] = undefined
  await clock.advance(10_000)
  expect(marked).toEqual([kept.key])
  expect(reads).toEqual([2, 4, 2])
  expect(errors).toEqual([])
  await end()
})

test('a redrive that failed for a reason of its own is tried again', async () => {
  const { clock, errors, told, marked, redelivered, lane, redriver, end } = bench([dlq])
  const first = letter(3)
  told.push(first, request(first, 0))
  const between = lane.between.bind(lane)
  lane.between = async () => {
    lane.between = between
    // Later than the book was looked through for the last time.
    await new Promise<void>((resolve) => clock.setTimer(resolve, 3_500))
    throw new Error('no room')
  }
  redriver.wake()
  await settle()
  await clock.advance(3_000)
  expect(errors).toEqual([])
  await clock.advance(2_000)
  expect(errors).toEqual(['Error: no room'])
  expect([redelivered, marked]).toEqual([[first.key], [first.key]])
  await end()
})

test.each(Array.from({ length: 12 }, (_, turns) => turns))('a wake %i turns after another is not lost', async (turns) => {
  const topics: (typeof dlq)[] = []
  const { told, reads, redriver, end } = bench(topics)
  told.push(letter(3))
  redriver.wake()
  for (let i = 0; i < turns; i++) await Promise.resolve()
  topics.push(dlq)
  redriver.wake()
  await settle()
  expect(reads).toEqual([1])
  await end()
})
