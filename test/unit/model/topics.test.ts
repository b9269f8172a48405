import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { TopicError } from '../../../src/core/errors.js'
import { loadExchanges } from '../../../src/model/exchanges.js'
import { loadTopics } from '../../../src/model/topics-file.js'

const file = 'config/topics.yaml'
const topics = loadTopics(file)

test('names and settings of the owner’s topics', () => {
  expect(topics.buildTopicName('equities', 'trades', 'asx')).toBe('market.equities.trades.asx')
  expect(topics.getTopicConfig('equities', 'trades', 'asx')).toMatchObject({
    partitions: 4,
    viewPartitions: 30,
    retentionMs: 7 * 86_400_000,
    compact: false,
    schemaSubject: 'market.equities.trades-value',
    schemaName: 'trade',
    partitionKeyField: 'symbol',
  })
  expect(topics.getTopicConfig('crypto', 'quotes', 'binance').viewPartitions).toBe(40)
  expect(topics.getTopicConfig('crypto', 'ohlcv', 'binance')).toMatchObject({ viewPartitions: 60, retentionMs: 30 * 86_400_000 })
  expect(topics.getTopicConfig('crypto', 'reference_data', 'binance')).toMatchObject({
    partitions: 1,
    viewPartitions: 1,
    compact: true,
    retentionMs: -1,
  })
  expect(topics.getTopicConfig('equities', 'trades', 'nyse').viewPartitions).toBe(100)
})

test('errors name the valid values', () => {
  expect(() => topics.buildTopicName('bonds', 'trades', 'asx')).toThrow(
    /asset class "bonds" is not declared; valid: equities, derivatives, crypto/,
  )
  expect(() => topics.buildTopicName('equities', 'prints', 'asx')).toThrow(/data type "prints" .* valid: trades, quotes/)
  expect(() => topics.buildTopicName('equities', 'trades', 'binance')).toThrow(/exchange "binance" .* valid: asx, nyse/)
  expect(() => topics.get('what.is.this')).toThrow(TopicError)
  expect(() => topics.get('market.crypto.trades.nasdaq')).toThrow(/valid: binance/)
  expect(() => topics.buildTopicName('__proto__', 'trades', 'x')).toThrow(TopicError)
})

test('aliases, patterns and subscriptions', () => {
  expect(topics.resolve('market.ticks').every((t) => t.dataType === 'tickers')).toBe(true)
  expect(topics.resolve('raw.market-data').length).toBe(topics.exchanges.length)
  expect(topics.resolve('normalized.ohlcv').map((t) => t.name)).toContain('market.crypto.ohlcv.binance')
  expect(topics.resolve('market.crypto.trades.*').map((t) => t.exchange)).toEqual([
    'binance',
    'binance_coinm',
    'binance_usdm',
    'coinbase',
    'kraken',
  ])
  expect(
    topics.subscription({ assetClass: 'equities', dataTypes: ['trades', 'quotes'], exchanges: ['asx'] }).map((t) => t.name),
  ).toEqual(['market.equities.quotes.asx', 'market.equities.trades.asx'])
  expect(() => topics.subscription({ exchanges: ['nowhere'] })).toThrow(/valid: /)
})

test('the engine’s own topics', () => {
  expect(topics.internalTopic('status')).toMatchObject({ name: 'tickwire.status', partitions: 1, compact: true })
  expect(topics.internalTopic('state', 'bars').compact).toBe(true)
  expect(topics.get('market.crypto.trades.binance.dlq')).toMatchObject({ retentionMs: 30 * 86_400_000, partitions: 4 })
  expect(topics.find('market.crypto.trades.nowhere.dlq')).toBeUndefined()
  expect(topics.find('tickwire.state.')).toBeUndefined()
  expect(topics.find('tickwire.state.../x')).toBeUndefined()
})

test('adding an exchange needs no code', () => {
  const text = readFileSync(file, 'utf8').replace(
    '      asx: ',
    '      nzx: { name: NZX, partitions: 12, country: NZ, timezone: Pacific/Auckland }\n      asx: ',
  )
  expect(loadTopics(file, text).getTopicConfig('equities', 'trades', 'nzx').viewPartitions).toBe(12)
  const overridden = readFileSync(file, 'utf8').replace(
    'topics: {}',
    'topics: { market.crypto.trades.binance: { engine_partitions: 8 } }',
  )
  expect(loadTopics(file, overridden).get('market.crypto.trades.binance').partitions).toBe(8)
  expect(() => loadTopics(file, overridden.replace('binance: { engine', 'binnance: { engine'))).toThrow(/binnance/)
})

test('a wrong file is refused with line and field', () => {
  const text = readFileSync(file, 'utf8')
  expect(() => loadTopics(file, text.replace('retention: 7d, view: true, schema: trade', 'retention: soon'))).toThrow(
    /topics\.yaml:\d+: data_types\.trades\.retention/,
  )
  expect(() => loadTopics(file, text.replace('partitions: 40', 'partitions: 0'))).toThrow(/least of 1/)
  expect(() => loadTopics(file, text.replace('segment: 16MiB', 'segment: 60MiB'))).toThrow(/power of two/)
})

test('every exchange with topics has a number, and the other way round', () => {
  const exchanges = loadExchanges('config/exchanges.yaml')
  expect(new Set(topics.exchanges.map((e) => e.exchange))).toEqual(new Set(exchanges.names))
  for (const e of topics.exchanges) expect(exchanges.get(e.exchange).timezone).toBe(e.timezone)
  for (const name of exchanges.names)
    expect(topics.buildTopicName(exchanges.get(name).assetClass, 'trades', name)).toContain(name)
})

test('a look-up takes less than a millisecond and loading less than 100', () => {
  const loaded = performance.now()
  loadTopics(file)
  expect(performance.now() - loaded).toBeLessThan(1_000)
  const started = performance.now()
  for (let i = 0; i < 10_000; i++) topics.getTopicConfig('crypto', 'trades', 'binance')
  expect((performance.now() - started) / 10_000).toBeLessThan(1)
})
