/** The topic architecture, one behavior a case: names, counts, schemas, subscriptions, errors, growth by configuration alone. */
import { expect, test } from 'vitest'
import { ConfigError, TopicError } from '../../../src/core/errors.js'
import { SubscriptionBuilder } from '../../../src/model/subscription.js'
import { loadTopics } from '../../../src/model/topics-file.js'

const file = 'config/topics.yaml'
const begin = performance.now()
const topics = loadTopics(file)
console.log(`config loaded in ${(performance.now() - begin).toFixed(1)} ms`)
const subscriptions = new SubscriptionBuilder(topics)

/** Two asset classes with one exchange each, as the first architecture had them. */
const small = `
defaults: { engine_partitions: 4, segment: 16MiB }
asset_classes:
  equities:
    exchanges:
      asx: { name: ASX, partitions: 30, country: AU, timezone: Australia/Sydney }
  crypto:
    exchanges:
      binance: { name: Binance, partitions: 40, country: MT, timezone: UTC }
data_types:
  trades: { retention: 7d, view: true, schema: trade }
  quotes: { retention: 7d, view: true, schema: quote }
  reference_data: { retention: forever, compaction: true, engine_partitions: 1, view_partitions: 1, schema: reference_data }
  tickers: {}
  depth: {}
  book: {}
  ohlcv: {}
  chain: {}
  greeks: {}
  indicators: {}
  gaps: {}
  raw: {}
internal:
  tickwire.status: { retention: forever, compaction: true, engine_partitions: 1 }
  '{topic}.dlq': { retention: 30d }
`
const nyse = 'nyse: { name: New York Stock Exchange, partitions: 100, country: US, timezone: America/New_York }'
const nasdaq = 'nasdaq: { name: Nasdaq, partitions: 80, country: US, timezone: America/New_York }'
const grown = loadTopics('grown.yaml', small.replace('      asx:', `      ${nyse}\n      ${nasdaq}\n      asx:`))
const withTopics = (declared: string) => loadTopics('own.yaml', `${small}topics:\n  ${declared}\n`)

// S4-01…08: names and counts.
const counts = [
  ['equities', 'trades', 'asx', 'market.equities.trades.asx', 30],
  ['equities', 'quotes', 'asx', 'market.equities.quotes.asx', 30],
  ['equities', 'reference_data', 'asx', 'market.equities.reference_data.asx', 1],
  ['crypto', 'trades', 'binance', 'market.crypto.trades.binance', 40],
  ['crypto', 'quotes', 'binance', 'market.crypto.quotes.binance', 40],
  ['crypto', 'reference_data', 'binance', 'market.crypto.reference_data.binance', 1],
] as const
test.each(counts)('S4-01 a name is market.{asset_class}.{data_type}.{exchange}: %s %s %s', (asset, type, exchange, name) => {
  expect(topics.buildTopicName(asset, type, exchange)).toBe(name)
})
test.each(counts)('S4-05/06/07/08 partitions of the view: %s %s %s', (asset, type, exchange, _name, partitions) => {
  expect(topics.getTopicConfig(asset, type, exchange).viewPartitions).toBe(partitions)
})
test.each([
  ['equities', 'asx'],
  ['crypto', 'binance'],
])('S4-06/08 reference data of %s is compacted and kept forever', (asset, exchange) => {
  expect(topics.getTopicConfig(asset, 'reference_data', exchange)).toMatchObject({
    compact: true,
    retentionMs: -1,
    partitions: 1,
  })
})
test.each(['trades', 'quotes'])('S4-05/07 %s are deleted after seven days, not compacted', (type) => {
  expect(topics.getTopicConfig('equities', type, 'asx')).toMatchObject({ compact: false, retentionMs: 604_800_000 })
})
test.each([
  ['raw', 30],
  ['ohlcv', 60],
  ['chain', 60],
  ['indicators', 30],
])('S4-18 the owner’s count for %s is %i on every exchange', (type, partitions) => {
  expect(new Set(subscriptions.subscribeToDataType(type).map((name) => topics.get(name).viewPartitions))).toEqual(
    new Set([partitions]),
  )
})
test.each([
  ['trades', true],
  ['quotes', true],
  ['ohlcv', true],
  ['book', false],
  ['raw', false],
])('S4-19 %s have an open view: %s', (type, view) => {
  expect(topics.getTopicConfig('crypto', type, 'binance').view).toBe(view)
})
test('S4-02 asset classes: equities and crypto are among them', () => {
  expect(topics.exchanges.map((e) => e.assetClass)).toEqual(expect.arrayContaining(['equities', 'crypto']))
})
test('S4-04 an exchange tells its name, country and time zone', () => {
  expect(grown.exchanges.find((e) => e.exchange === 'nyse')).toEqual({
    assetClass: 'equities',
    exchange: 'nyse',
    name: 'New York Stock Exchange',
    partitions: 100,
    country: 'US',
    timezone: 'America/New_York',
  })
})

// S4-09, S4-16: subjects.
test.each([
  ['equities', 'trades'],
  ['equities', 'quotes'],
  ['equities', 'reference_data'],
  ['crypto', 'trades'],
  ['crypto', 'quotes'],
  ['crypto', 'reference_data'],
])('S4-09 the subject of %s %s is that of the asset class', (asset, type) => {
  const exchange = asset === 'crypto' ? 'binance' : 'asx'
  expect(topics.getTopicConfig(asset, type, exchange).schemaSubject).toBe(`market.${asset}.${type}-value`)
})
test('S4-09 exchanges of one asset class share a subject', () => {
  const subjects = subscriptions.subscribeToAssetClass('crypto', ['trades']).map((name) => topics.get(name).schemaSubject)
  expect(new Set(subjects)).toEqual(new Set(['market.crypto.trades-value']))
  expect(subjects.length).toBeGreaterThan(1)
})
test('S4-11 a configuration names its schema', () => {
  expect(topics.getTopicConfig('equities', 'trades', 'asx').schemaName).toBe('trade')
  expect(topics.getTopicConfig('crypto', 'quotes', 'kraken').schemaName).toBe('quote')
})

// S4-10, S4-11: the file and the look-up.
test('S4-11 a configuration tells asset class, data type and exchange', () => {
  expect(topics.get('market.crypto.trades.binance')).toMatchObject({
    assetClass: 'crypto',
    dataType: 'trades',
    exchange: 'binance',
  })
})
test('S4-13 the key is the symbol on every topic: the exchange stands in the name', () => {
  expect(new Set(topics.list().map((t) => t.partitionKeyField))).toEqual(new Set(['symbol']))
})
test('S4-10 Kafka settings: compression, copies and in-sync copies have defaults', () => {
  expect(topics.get('market.crypto.trades.binance')).toMatchObject({ compression: 'snappy', replication: 3, minIsr: 2 })
})
test('S4-10 Kafka settings may stand with a data type', () => {
  const own = loadTopics('own.yaml', small.replace('view: true, schema: trade', 'compression: zstd, replication: 2, min_isr: 1'))
  expect(own.get('market.equities.trades.asx')).toMatchObject({ compression: 'zstd', replication: 2, minIsr: 1, view: false })
  expect(own.get('market.equities.quotes.asx').compression).toBe('snappy')
})
test('S4-10 Kafka settings of one topic go before those of its data type', () => {
  const own = withTopics('market.crypto.trades.binance: { compression: lz4, view: avro, retention: 1d, view_partitions: 48 }')
  expect(own.get('market.crypto.trades.binance')).toMatchObject({
    compression: 'lz4',
    viewEncoding: 'avro',
    viewPartitions: 48,
    retentionMs: 86_400_000,
  })
  expect(own.get('market.equities.trades.asx')).toMatchObject({ compression: 'snappy', viewEncoding: 'json' })
})
test('S4-10 the engine’s own topics take the same settings', () => {
  expect(topics.internalTopic('status')).toMatchObject({ replication: 3, minIsr: 2, view: false })
})
test('S4-11 every declared name finds its own configuration', () => {
  for (const t of topics.list()) expect(topics.get(t.name)).toBe(t)
  expect(topics.list().length).toBe(topics.exchanges.length * 12)
})
test('S4-24 a look-up is one access to a map: a million of them end', () => {
  let found = 0
  const start = performance.now()
  for (let i = 0; i < 1_000_000; i++) if (topics.getTopicConfig('equities', 'trades', 'asx').partitions > 0) found++
  console.log(`look-up: ${((performance.now() - start) / 1_000).toFixed(3)} µs`)
  expect(found).toBe(1_000_000)
})

// S4-12: subscriptions.
const small3 = new SubscriptionBuilder(loadTopics('small.yaml', small))
test('S4-12 an exchange: its topics of all data types', () => {
  const names = small3.subscribeToExchange('asx')
  expect(names).toEqual(names.toSorted())
  expect(names).toEqual(
    expect.arrayContaining(['market.equities.quotes.asx', 'market.equities.reference_data.asx', 'market.equities.trades.asx']),
  )
  expect(names.every((name) => name.endsWith('.asx'))).toBe(true)
})
test('S4-12 an exchange that stands in two asset classes: one of them, or both', () => {
  expect(subscriptions.subscribeToExchange('nse', { dataTypes: ['tickers'] })).toEqual([
    'market.equities.tickers.nse',
    'market.indices.tickers.nse',
  ])
  expect(subscriptions.subscribeToExchange('nse', { assetClass: 'indices', dataTypes: ['tickers'] })).toEqual([
    'market.indices.tickers.nse',
  ])
})
test('S4-12 an asset class: all its exchanges and none of others', () => {
  const names = subscriptions.subscribeToAssetClass('crypto')
  expect(new Set(names.map((n) => n.split('.')[1]))).toEqual(new Set(['crypto']))
  expect(new Set(names.map((n) => n.split('.')[3]))).toEqual(
    new Set(['binance', 'binance_coinm', 'binance_usdm', 'coinbase', 'kraken']),
  )
})
test('S4-12 an asset class with data types', () => {
  expect(subscriptions.subscribeToAssetClass('fx', ['quotes'])).toEqual([
    'market.fx.quotes.fxcm',
    'market.fx.quotes.oanda',
    'market.fx.quotes.truefx',
  ])
})
test('S4-12 an asset class with data types and exchanges', () => {
  expect(subscriptions.subscribeToAssetClass('equities', ['trades', 'quotes'], ['asx'])).toEqual([
    'market.equities.quotes.asx',
    'market.equities.trades.asx',
  ])
})
test('S4-12 a data type: one topic for each exchange', () => {
  expect(small3.subscribeToDataType('trades')).toEqual(['market.crypto.trades.binance', 'market.equities.trades.asx'])
})
test('S4-23 who wants one exchange reads its share and no more', () => {
  const wanted = subscriptions.subscribeToExchange('asx', { dataTypes: ['trades'] })
  expect(wanted).toHaveLength(1)
  expect(subscriptions.subscribeToDataType('trades').length).toBeGreaterThan(20)
})

// S4-11, S4-12: errors.
const asked = [
  [
    'asset class',
    () => topics.buildTopicName('bonds', 'trades', 'asx'),
    /"bonds".* valid: equities, derivatives, crypto, fx, indices/,
  ],
  ['data type', () => topics.buildTopicName('equities', 'prints', 'asx'), /"prints".* valid: trades, quotes/],
  ['exchange', () => topics.buildTopicName('crypto', 'trades', 'asx'), /"asx".* valid: binance/],
  ['an exchange to subscribe to', () => subscriptions.subscribeToExchange('lse'), /"lse".* valid: .*asx/],
  ['an asset class to subscribe to', () => subscriptions.subscribeToAssetClass('bonds'), /"bonds".* valid: equities/],
  ['a data type to subscribe to', () => subscriptions.subscribeToDataType('prints'), /"prints".* valid: trades/],
  [
    'an exchange of another asset class',
    () => subscriptions.subscribeToAssetClass('crypto', ['trades'], ['asx']),
    /"asx".* valid: binance/,
  ],
  [
    'a data type within an asset class',
    () => subscriptions.subscribeToAssetClass('crypto', ['prints']),
    /"prints".* valid: trades/,
  ],
  ['a topic', () => topics.get('market.trades'), /"market.trades".* valid: /],
] as const
test.each(asked)('S4-11/12 a name that is not declared is refused with the valid ones: %s', (_what, ask, message) => {
  expect(ask).toThrow(TopicError)
  expect(ask).toThrow(message)
})
test('S4-11 an error tells what to do', () => {
  expect(() => topics.buildTopicName('equities', 'trades', 'lse')).toThrow(
    expect.objectContaining({ fix: 'declare it under asset_classes.equities.exchanges', field: 'exchange' }) as Error,
  )
})

// S4-10: a wrong file.
const wrongFiles = [
  [
    'a count of zero',
    small.replace('partitions: 30', 'partitions: 0'),
    /own\.yaml:6: asset_classes\.equities\.exchanges\.asx\.partitions/,
  ],
  [
    'a count that is text',
    small.replace('partitions: 30', 'partitions: many'),
    /own\.yaml:6: .*partitions: "many" is not a number/,
  ],
  [
    'an unknown field',
    small.replace('country: AU', 'countri: AU'),
    /own\.yaml:6: .*countri: is not a setting; valid: name, partitions/,
  ],
  ['a country', small.replace('country: AU', 'country: Australia'), /two-letter country code/],
  ['an asset class', small.replace('  equities:', '  bonds:'), /asset_classes\.bonds/],
  ['a data type', small.replace('  quotes:', '  prints:'), /data_types\.prints/],
  [
    'a compression',
    small.replace('schema: trade', 'compression: brotli'),
    /own\.yaml:11: data_types\.trades\.compression: "brotli".*valid: none, snappy, lz4, zstd/,
  ],
  [
    'a view',
    small.replace('view: true, schema: trade', 'view: xml'),
    /own\.yaml:11: data_types\.trades\.view: "xml".*valid: true, false, json, avro, record/,
  ],
  [
    'in-sync copies',
    small.replace('schema: trade', 'replication: 1, min_isr: 2'),
    /own\.yaml:11: data_types\.trades\.min_isr: .*in sync than the 1/,
  ],
  [
    'a topic',
    `${small}topics: { market.crypto.trades.mtgox: {} }\n`,
    /topics\.market\.crypto\.trades\.mtgox: .*mtgox is not declared; valid: binance/,
  ],
] as const
test.each(wrongFiles)('S4-10 a wrong file is refused with line, field and valid values: %s', (_what, text, message) => {
  expect(() => loadTopics('own.yaml', text)).toThrow(ConfigError)
  expect(() => loadTopics('own.yaml', text)).toThrow(message)
})

// S4-15: exchanges by configuration alone.
test.each([
  ['nyse', 100],
  ['nasdaq', 80],
])('S4-15 %s is added by configuration alone, with its own count', (exchange, partitions) => {
  expect(grown.getTopicConfig('equities', 'trades', exchange)).toMatchObject({
    name: `market.equities.trades.${exchange}`,
    viewPartitions: partitions,
    schemaSubject: 'market.equities.trades-value',
  })
  expect(new SubscriptionBuilder(grown).subscribeToAssetClass('equities', ['trades'])).toContain(
    `market.equities.trades.${exchange}`,
  )
})
test('S4-15 adding an exchange changes nothing of the others', () => {
  const before = loadTopics('small.yaml', small)
  for (const t of before.list()) expect(grown.get(t.name)).toEqual(t)
})
test('S4-15 a new exchange needs no new subject', () => {
  const subjects = (of: typeof grown): Set<string | undefined> => new Set(of.list().map((t) => t.schemaSubject))
  expect(subjects(grown)).toEqual(subjects(loadTopics('small.yaml', small)))
})

// S4-18, S4-28: growth and dedicated partitions.
test('S4-18 a count is raised for one topic and no other', () => {
  const own = withTopics('market.equities.trades.asx: { view_partitions: 60, engine_partitions: 8 }')
  expect(own.get('market.equities.trades.asx')).toMatchObject({ partitions: 8, viewPartitions: 60 })
  expect(own.get('market.equities.quotes.asx')).toMatchObject({ partitions: 4, viewPartitions: 30 })
})
test('S4-28 popular symbols get partitions of their own', () => {
  const own = withTopics('market.crypto.trades.binance: { dedicated_partitions: { BTCUSDT: 2, ETHUSDT: 3 } }')
  expect([...own.get('market.crypto.trades.binance').dedicatedPartitions]).toEqual([
    ['BTCUSDT', 2],
    ['ETHUSDT', 3],
  ])
  expect(own.get('market.equities.trades.asx').dedicatedPartitions.size).toBe(0)
})
test.each([
  ['a partition the topic does not have', '{ BTCUSDT: 4 }', /BTCUSDT: 4: the topic has 4 partitions; valid: 0 to 3/],
  ['two symbols on one partition', '{ BTCUSDT: 2, ETHUSDT: 2 }', /ETHUSDT: 2: partition 2 is BTCUSDT's/],
  ['none left for the others', '{ A: 0, B: 1, C: 2, D: 3 }', /all 4 partitions are dedicated/],
  ['a name that is no symbol', '{ "no symbol": 1 }', /dedicated_partitions/],
])('S4-28 dedicated partitions are refused: %s', (_what, dedicated, message) => {
  expect(() => withTopics(`market.crypto.trades.binance: { dedicated_partitions: ${dedicated} }`)).toThrow(message)
})

// S4-33 and the names of other documents.
test('S4-33 the flat topics of before are known, with their counts', () => {
  expect(topics.flatTopics).toEqual([
    { name: 'market.trades.raw', dataType: 'trades', partitions: 6 },
    { name: 'market.quotes.raw', dataType: 'quotes', partitions: 6 },
    { name: 'market.reference_data', dataType: 'reference_data', partitions: 1 },
  ])
})
test.each([
  ['market.trades.raw', 'trades'],
  ['market.quotes.raw', 'quotes'],
  ['market.reference_data', 'reference_data'],
  ['market.raw', 'raw'],
  ['raw.market-data', 'raw'],
  ['market.enriched', 'chain'],
  ['normalized.ohlcv', 'ohlcv'],
  ['processed.indicators', 'indicators'],
  ['market.ticks', 'tickers'],
])('S4-33 an older name stands for the topics of a data type: %s', (alias, type) => {
  expect(topics.resolve(alias).map((t) => t.name)).toEqual(subscriptions.subscribeToDataType(type))
})
