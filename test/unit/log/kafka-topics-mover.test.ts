/** A mover on topics in memory: what is written while it moves is next, not missing. */
import { beforeEach, expect, test, vi } from 'vitest'
import type { OutgoingMessage, PlainMessage, Stretch } from '../../../src/log/kafka/topics-messages.js'
import { TopicMover } from '../../../src/log/kafka/topics-mover.js'
import { isEqual } from '../../../src/log/kafka/topics-sums.js'
import type { KafkaAdmin } from '../../../src/native/kafka.js'

const held = vi.hoisted(() => new Map<string, PlainMessage[]>())
/** The signal of each read. */
const signals = vi.hoisted((): (AbortSignal | undefined)[] => [])
const writers = vi.hoisted(() => ({ opened: 0, closed: 0 }))

const append = ({ topic, headers, ...rest }: OutgoingMessage): void => {
  const messages = held.get(topic) ?? []
  held.set(topic, messages)
  messages.push({ ...rest, topic, partition: 0, offset: messages.length, headers: new Map(Object.entries(headers)) })
}

vi.mock('../../../src/log/kafka/topics-messages.js', () => ({
  async *readMessages(_properties: unknown, stretches: readonly Stretch[], signal?: AbortSignal) {
    signals.push(signal)
    for (const { topic, begin, end } of stretches) yield held.get(topic)?.slice(begin, end) ?? []
  },
  MessageWriter: {
    open: async () => {
      writers.opened++
      return {
        send: async (messages: readonly OutgoingMessage[]) => messages.forEach(append),
        close: async () => void writers.closed++,
      }
    },
  },
}))

const admin = {
  topics: async (names: readonly string[]) =>
    names.filter((name) => held.has(name)).map((name) => ({ name, partitions: [{ partition: 0 }] })),
  offsets: async (asked: readonly { topic: string; partition: number }[]) =>
    asked.map((at) => ({ ...at, begin: 0, end: held.get(at.topic)?.length ?? 0 })),
} as unknown as KafkaAdmin

const write = (text: string): void =>
  append({ topic: 'old', key: undefined, value: Buffer.from(text), timestampMs: undefined, headers: {} })
const open = (): TopicMover =>
  new TopicMover({
    admin,
    properties: {},
    from: ['old'],
    to: ['new'],
    deadLetters: 'old.dlq',
    route: (_topic, value) => ({ topic: 'new', key: 'A', value }),
    ensure: async () => undefined,
  })

beforeEach(() => {
  held.clear()
  signals.length = 0
  Object.assign(writers, { opened: 0, closed: 0 })
})

test('what arrives after the copy is not missing, and the next copy takes it', async () => {
  write('1')
  const mover = open()
  expect(await mover.copy()).toMatchObject({ moved: { new: 1 } })
  write('2')
  const { topics } = await mover.reconcile()
  expect(topics.map((t) => [t.from, t.to, isEqual(t)])).toEqual([[1, 1, true]])
  expect(await mover.copy()).toMatchObject({ moved: { new: 1 } })
  expect((await mover.reconcile()).topics.map((t) => [t.from, t.to, isEqual(t)])).toEqual([[2, 2, true]])
})

test('a mover that has copied nothing compares all there is', async () => {
  write('1')
  await open().copy()
  write('2')
  expect((await open().reconcile()).topics.map((t) => [t.from, t.to, isEqual(t)])).toEqual([[2, 1, false]])
})

test('a copy connects a producer only when there is something to write', async () => {
  const mover = open()
  await mover.copy()
  expect(writers).toEqual({ opened: 0, closed: 0 })
  write('1')
  await mover.copy()
  await mover.copy()
  expect(writers).toEqual({ opened: 1, closed: 1 })
})

test('every read may be broken off', async () => {
  write('1')
  const { signal } = new AbortController()
  const mover = open()
  await mover.copy(signal)
  await mover.reconcile(signal)
  expect(new Set(signals)).toEqual(new Set([signal]))
})
