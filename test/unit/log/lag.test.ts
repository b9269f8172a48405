import { expect, test } from 'vitest'
import { rangesText } from '../../../src/cli/commands/groups.js'
import { logTopicOf } from '../../../src/log/kafka/groups.js'
import { exchangeOf, lagByExchange, lagOf, membersWanted } from '../../../src/log/lag.js'

const SECOND = 1_000_000_000n
const place = { group: 'g', topic: 'market.crypto.trades.binance', partition: 0, owner: undefined }
const ends = { begin: 10, end: 50, newest: 100n * SECOND }

test.each<[string, number | undefined, bigint | undefined, { lagMessages: number; lagMs: number }]>([
  ['nothing waits', 50, 90n * SECOND, { lagMessages: 0, lagMs: 0 }],
  ['ten wait, the first for two seconds', 40, 98n * SECOND, { lagMessages: 10, lagMs: 2_000 }],
  ['nothing committed: all that there is', undefined, 60n * SECOND, { lagMessages: 40, lagMs: 40_000 }],
  ['retention was faster', 3, 60n * SECOND, { lagMessages: 40, lagMs: 40_000 }],
  ['committed beyond the end, after a power loss', 60, undefined, { lagMessages: 0, lagMs: 0 }],
  ['a first message of unknown time', 40, undefined, { lagMessages: 10, lagMs: 0 }],
  ['times that go back', 40, 130n * SECOND, { lagMessages: 10, lagMs: 0 }],
])('lag: %s', (_, committed, oldest, expected) => {
  expect(lagOf(place, committed, ends, () => oldest)).toMatchObject({
    ...place,
    exchange: 'binance',
    committed,
    end: 50,
    ...expected,
  })
})

test('lag of an exchange: messages add up, time is that of the furthest behind', () => {
  const lag = (topic: string, partition: number, lagMessages: number, lagMs: number) => {
    return {
      group: 'g',
      topic,
      partition,
      exchange: exchangeOf(topic),
      owner: undefined,
      committed: 0,
      end: 9,
      lagMessages,
      lagMs,
    }
  }
  const trades = 'market.crypto.trades.binance'
  const lags = [lag(trades, 0, 3, 10), lag('market.crypto.quotes.binance', 1, 4, 70), lag('tickwire.status', 0, 5, 1)]
  expect(lagByExchange([...lags, lag('market.equities.trades.asx', 0, 1, 2)])).toEqual([
    { group: 'g', exchange: 'binance', partitions: 2, lagMessages: 7, lagMs: 70 },
    { group: 'g', exchange: '-', partitions: 1, lagMessages: 5, lagMs: 1 },
    { group: 'g', exchange: 'asx', partitions: 1, lagMessages: 1, lagMs: 2 },
  ])
})

test('the exchange of a name, also of a view and of dead letters', () => {
  expect(exchangeOf('kafka:market.crypto.trades.kraken')).toBe('kraken')
  expect(exchangeOf('market.crypto.trades.kraken.dlq')).toBe('kraken')
  expect([exchangeOf('tickwire.state.bars'), exchangeOf('market.crypto.trades'), exchangeOf('orders')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

test('names of Kafka topics as the log has them', () => {
  expect(logTopicOf('market.crypto.trades.binance.batch')).toBe('market.crypto.trades.binance')
  expect(logTopicOf('market.crypto.trades.binance')).toBe('kafka:market.crypto.trades.binance')
  expect(logTopicOf('market.crypto.trades.binance.dlq')).toBe('market.crypto.trades.binance.dlq')
  expect(logTopicOf('tickwire.state.bars')).toBe('tickwire.state.bars')
})

test('one consumer per ten partitions is suggested to groups that have fewer', () => {
  expect([membersWanted(1, 10), membersWanted(1, 11), membersWanted(3, 40), membersWanted(4, 40)]).toEqual([
    undefined,
    2,
    4,
    undefined,
  ])
})

test('owned partitions as ranges', () => {
  const of = (topic: string, ...partitions: number[]) => partitions.map((partition) => ({ topic, partition }))
  expect(rangesText([...of('a', 3, 1, 0, 2, 7), ...of('b', 5)])).toBe('a[0-3,7] b[5]')
  expect(rangesText([])).toBe('')
})
