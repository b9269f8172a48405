import { expect, test } from 'vitest'
import { PoisonRecordError } from '../../../src/core/index.js'
import { SlabBatch } from '../../../src/log/batch.js'
import {
  batchOf,
  type DeadLetter,
  type DeadLetterMessage,
  letterOf,
  messageBytes,
  messageOf,
} from '../../../src/log/dead-letter.js'
import { DeadLetterBook } from '../../../src/log/dead-letter-book.js'
import { tradeRun } from '../../support/batches.js'

const ID = 'g/t/0/7/2'
const batchMessage = (value: Uint8Array, kind: 'batch' | 'opaque' = 'batch'): SlabBatch =>
  new SlabBatch('t', 0, 7, 5, kind, value, new TextEncoder().encode('BTC'), undefined)
const died = (batch: SlabBatch, index: number, before?: { letter: DeadLetter; at: number }): DeadLetter =>
  letterOf({
    log: 'l',
    group: 'g',
    batch,
    index,
    error: new PoisonRecordError('bad'),
    attempts: 1,
    correlationId: 'c',
    tsDead: 5n,
    before,
  })
const letter = (redriveOf?: number): DeadLetterMessage => ({
  ...died(batchMessage(tradeRun(1, 5)), 2),
  ...(redriveOf === undefined ? {} : { redriveOf }),
})
const redrive = (at: number): DeadLetterMessage => ({ kind: 'redrive', letter: at, tsRequested: '1' })
const redriven = (at: number): DeadLetterMessage => ({ kind: 'redriven', letter: at, tsRedriven: '1' })

test.each<[string, readonly DeadLetterMessage[], { at: number; state: string } | undefined]>([
  ['a letter', [letter()], { at: 0, state: 'dead' }],
  ['a repeat after a crash', [letter(), letter()], { at: 0, state: 'dead' }],
  ['a repeat while a redrive waits', [letter(), redrive(0), letter()], { at: 0, state: 'requested' }],
  ['asked for twice', [letter(), redrive(0), redrive(0)], { at: 0, state: 'requested' }],
  ['stood', [letter(), redrive(0), redriven(0)], { at: 0, state: 'redriven' }],
  ['asked for after it stood', [letter(), redrive(0), redriven(0), redrive(0)], { at: 0, state: 'redriven' }],
  ['died again', [letter(), redrive(0), letter(0)], { at: 2, state: 'dead' }],
  ['a request for the death before', [letter(), redrive(0), letter(0), redrive(0)], { at: 2, state: 'dead' }],
  ['died again and stood', [letter(), redrive(0), letter(0), redrive(2), redriven(2)], { at: 2, state: 'redriven' }],
  ['a zombie’s death after it stood', [letter(), redrive(0), redriven(0), letter(0)], { at: 0, state: 'redriven' }],
  ['the group was set back', [letter(), redrive(0), redriven(0), letter()], { at: 3, state: 'dead' }],
  ['a request for nothing', [redrive(0)], undefined],
  ['its first letters taken by retention', [redriven(9), letter(9)], { at: 1, state: 'dead' }],
])('%s', (_, messages, expected) => {
  const book = new DeadLetterBook()
  for (const [offset, message] of messages.entries()) book.apply(offset, ID, message)
  const entry = book.of(ID)
  expect(entry && { at: entry.at, state: entry.state }).toEqual(expected)
})

test('a letter holds one record, and gives it back as a batch of that one', () => {
  const made = died(batchMessage(tradeRun(1, 5)), 2)
  expect(made).toMatchObject({ id: ID, index: 2, key: 'BTC', recordType: 'trade', eventId: 't-1-0-1700000000-3', redrives: 0 })
  const back = messageOf(messageBytes(made))
  expect(back).toEqual(made)
  const batch = batchOf(made, 1n)
  expect(batch).toMatchObject({ topic: 't', partition: 0, offset: 7, key: 'BTC', records: 1 })
  const original = batchMessage(tradeRun(1, 5)).view()
  expect(Buffer.from(batch.view()?.record(0) ?? []).equals(Buffer.from(original?.record(2) ?? [0]))).toBe(true)
  const again = died(batch, 0, { letter: made, at: 40 })
  expect(again).toMatchObject({ id: ID, index: 2, redriveOf: 40, redrives: 1, eventId: made.eventId })
})

test('a batch that cannot be read dies whole and comes back byte for byte', () => {
  const bytes = new TextEncoder().encode('somebody else made this, and it is no batch')
  const made = died(batchMessage(bytes), 0)
  expect(made).toMatchObject({ index: 0, messageKind: 'batch', valueBytes: bytes.length })
  expect(made.recordType).toBeUndefined()
  expect(Buffer.from(batchOf(made, 1n).value).equals(Buffer.from(bytes))).toBe(true)
})

test('a value that no letter can hold is cut, and the plan says that it cannot be redriven', () => {
  const made = died(batchMessage(new Uint8Array(600_000), 'opaque'), 0)
  expect(made.replay).toMatchObject({ canReplay: false, requiresReview: true })
  expect(made.valueBytes).toBe(600_000)
  expect(messageBytes(made).length).toBeLessThan(1 << 20)
})

test('bytes that are none of ours are nothing', () => {
  for (const text of [
    '',
    'null',
    '[]',
    '{"kind":"other"}',
    '{"kind":"letter"}',
    '{"kind":"redrive","letter":"1"}',
    '{',
    '\u0000',
  ]) {
    expect(messageOf(new TextEncoder().encode(text))).toBeUndefined()
  }
})

test.each<[string, (made: DeadLetter) => object]>([
  ['a time that is none', (made) => ({ ...made, tsDead: 'yesterday' })],
  ['a time no date holds', (made) => ({ ...made, replay: { ...made.replay, suggestedDelayS: Number.MAX_SAFE_INTEGER } })],
  ['no plan', ({ replay: _, ...rest }) => rest],
  ['a record nobody knows', (made) => ({ ...made, recordType: 'toString' })],
  ['a place before the first', (made) => ({ ...made, partition: -1 })],
])('a letter with %s is none of ours', (_, change) => {
  const foreign = change(died(batchMessage(tradeRun(1, 5)), 2))
  expect(messageOf(new TextEncoder().encode(JSON.stringify(foreign)))).toBeUndefined()
})
