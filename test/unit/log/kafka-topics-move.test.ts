/** What a move of flat topics is made of: where a message belongs, and how two sides are compared. */
import { expect, test } from 'vitest'
import { backRoute, forwardRoute, originOf, originText, targetsOf } from '../../../src/log/kafka/topics-routes.js'
import { compareSums, isEqual, OffsetSet, Sums } from '../../../src/log/kafka/topics-sums.js'
import { loadTopics } from '../../../src/model/topics-file.js'

const topics = loadTopics('config/topics.yaml')
const flat = { name: 'market.trades.raw', dataType: 'trades', partitions: 6 } as const
const forward = forwardRoute(flat, topics)
const back = backRoute(flat, topics)
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

test('S4-33 a message goes to the topic of its exchange, keyed by its symbol, as it is', () => {
  const value = json({ symbol: 'BHP', exchange: 'ASX', price: '45.10' })
  expect(forward(flat.name, value)).toEqual({ topic: 'market.equities.trades.asx', key: 'BHP', value })
  expect(forward(flat.name, json({ symbol: 'BTCUSDT', exchange: 'binance' }))).toMatchObject({
    topic: 'market.crypto.trades.binance',
  })
})

test('an exchange that stands in two asset classes needs the asset class', () => {
  const nse = { symbol: 'RELIANCE', exchange: 'nse' }
  expect(forward(flat.name, json(nse))).toEqual({ reason: 'ambiguous_exchange' })
  expect(forward(flat.name, json({ ...nse, asset_class: 'equities' }))).toMatchObject({ topic: 'market.equities.trades.nse' })
  expect(forward(flat.name, json({ ...nse, asset_class: 'crypto' }))).toEqual({ reason: 'unknown_exchange' })
})

test.each([
  ['text', Buffer.from('BHP|45.10'), 'not_json'],
  ['a list', json([1]), 'not_json'],
  ['nothing', Buffer.alloc(0), 'not_json'],
  ['no symbol', json({ exchange: 'asx' }), 'no_symbol'],
  ['a symbol that is none', json({ symbol: 'b h p', exchange: 'asx' }), 'no_symbol'],
  ['no exchange', json({ symbol: 'BHP' }), 'no_exchange'],
  ['another exchange', json({ symbol: 'BHP', exchange: 'lse' }), 'unknown_exchange'],
])('a message that belongs nowhere has a reason: %s', (_what, value, reason) => {
  expect(forward(flat.name, value)).toEqual({ reason })
})

test('on the way back a message gets the exchange its readers look for', () => {
  const routed = back('market.equities.trades.asx', json({ symbol: 'BHP', price: '45.10' }))
  expect(routed).toMatchObject({ topic: flat.name, key: 'BHP' })
  expect(JSON.parse('value' in routed ? routed.value.toString() : '')).toEqual({ symbol: 'BHP', price: '45.10', exchange: 'asx' })
  const whole = json({ symbol: 'BHP', exchange: 'ASX' })
  expect(back('market.equities.trades.asx', whole)).toMatchObject({ value: whole })
  expect(back('market.equities.trades.asx', Buffer.from('\0\0\0\0\x01'))).toEqual({ reason: 'not_json' })
})

test('targets are the topics of the data type', () => {
  expect(targetsOf(flat, topics).map((t) => t.dataType)).toEqual(topics.exchanges.map(() => 'trades'))
})

test('an origin is read as it was written, and nothing else is one', () => {
  expect(originOf(originText('market.trades.raw', 3, 12_345))).toEqual({
    topic: 'market.trades.raw',
    partition: 3,
    offset: 12_345,
  })
  for (const text of [undefined, '', 'a/b/c', 'a/1', 'a/1/-1', 'a/1/2/3']) expect(originOf(text)).toBeUndefined()
})

const sums = (...messages: [topic: string, key: string, value: string][]): Sums => {
  const made = new Sums()
  for (const [topic, key, value] of messages) made.add(topic, key, Buffer.from(value))
  return made
}
test('two sides with the same messages in the same order per key are equal; keys may be interleaved otherwise', () => {
  const a = sums(['t', 'A', '1'], ['t', 'B', '1'], ['t', 'A', '2'])
  const b = sums(['t', 'B', '1'], ['t', 'A', '1'], ['t', 'A', '2'])
  expect(compareSums(a, b)).toEqual([
    { topic: 't', keys: 2, from: 3, to: 3, countDiffers: 0, contentDiffers: 0, orderDiffers: 0 },
  ])
  expect(compareSums(a, b).every(isEqual)).toBe(true)
})
test.each([
  ['a lost message', sums(['t', 'A', '1'], ['t', 'A', '2']), sums(['t', 'A', '1']), [1, 1, 1]],
  ['another content', sums(['t', 'A', '1']), sums(['t', 'A', '2']), [0, 1, 1]],
  ['another order', sums(['t', 'A', '1'], ['t', 'A', '2']), sums(['t', 'A', '2'], ['t', 'A', '1']), [0, 0, 1]],
  ['another key', sums(['t', 'A', '1']), sums(['t', 'B', '1']), [2, 2, 2]],
  ['a message too many', sums(['t', 'A', '1']), sums(['t', 'A', '1'], ['t', 'A', '1']), [1, 1, 1]],
])('a difference is found: %s', (_what, from, to, expected) => {
  const [found] = compareSums(from, to)
  expect([found?.countDiffers, found?.contentDiffers, found?.orderDiffers]).toEqual(expected)
})

test('offsets that were seen, far apart and twice', () => {
  const seen = new OffsetSet(1_000)
  for (const offset of [1_000, 1_007, 1_008, 900_000]) expect(seen.add(offset)).toBe(true)
  for (const offset of [1_000, 1_007, 1_008, 900_000]) expect([seen.add(offset), seen.has(offset)]).toEqual([false, true])
  expect([seen.has(1_001), seen.has(899_999), seen.has(5)]).toEqual([false, false, false])
  expect(() => seen.add(5)).toThrow(RangeError)
})
