/** The plan of topics: pure comparison of what is declared with what a cluster has. */
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/core/clock.js'
import { TopicError } from '../../../src/core/errors.js'
import { createMissing } from '../../../src/log/kafka/topics-apply.js'
import { kafkaTopicsOf } from '../../../src/log/kafka/topics-declared.js'
import { type ClusterTopics, planTopics, refuseUnsafe, type TopicChange } from '../../../src/log/kafka/topics-plan.js'
import { loadTopics } from '../../../src/model/topics-file.js'
import type { KafkaAdmin, KafkaTopic } from '../../../src/native/kafka.js'

const topics = loadTopics('config/topics.yaml')
const declared = kafkaTopicsOf(topics.get('market.crypto.trades.binance'))
const [engine, view] = declared
const NONE: ClusterTopics = { brokers: 3, topics: [], configs: new Map(), filled: new Set() }

const onBroker = (name: string, partitions: number, copies = 3): KafkaTopic => ({
  name,
  id: name,
  isInternal: false,
  partitions: Array.from({ length: partitions }, (_, partition) => {
    const replicas = Array.from({ length: copies }, (__, i) => i + 1)
    return { partition, leader: 1, replicas, isr: replicas }
  }),
})
const entriesOf = (config: Readonly<Record<string, string>>) =>
  Object.entries(config).map(([name, value]) => ({ name, value, isDefault: false }))

/** A cluster where everything stands as declared. */
const settled = (
  change: Partial<Record<'partitions' | 'copies', number>> = {},
  config: Record<string, string> = {},
): ClusterTopics => ({
  brokers: 3,
  topics: declared.map((d) => onBroker(d.name, d === view ? (change.partitions ?? d.partitions) : d.partitions, change.copies)),
  configs: new Map(
    declared.map((d) => [d.name, entriesOf({ ...d.config, 'min.insync.replicas': '2', ...(d === view ? config : {}) })]),
  ),
  filled: new Set(),
})

test('a topic with a view is two topics: the engine’s and the one under the plain name', () => {
  expect(declared.map((d) => [d.name, d.kind, d.partitions])).toEqual([
    ['market.crypto.trades.binance.batch', 'engine', 4],
    ['market.crypto.trades.binance', 'view', 40],
  ])
  expect(kafkaTopicsOf(topics.get('market.crypto.depth.binance')).map((d) => d.name)).toEqual([
    'market.crypto.depth.binance.batch',
  ])
})

test('internal topics have their plain names and no view', () => {
  for (const name of ['tickwire.status', 'tickwire.state.bars', 'market.crypto.trades.binance.dlq'])
    expect(kafkaTopicsOf(topics.get(name)).map((d) => [d.name, d.kind])).toEqual([[name, 'internal']])
})

test('settings of an engine topic', () => {
  expect(engine?.config).toEqual({
    'cleanup.policy': 'delete',
    'retention.ms': '604800000',
    'retention.bytes': '-1',
    'compression.type': 'snappy',
    'max.message.bytes': '16777216',
    'segment.bytes': '16777216',
    'message.timestamp.type': 'CreateTime',
    'message.timestamp.after.max.ms': '9223372036854775807',
  })
})

test('S4-06 compaction reaches Kafka; a small segment is no smaller than a message may be', () => {
  const [status] = kafkaTopicsOf(topics.get('tickwire.status'))
  expect(status?.config).toMatchObject({ 'cleanup.policy': 'compact', 'retention.ms': '-1', 'segment.bytes': '1048576' })
  const small = loadTopics('small.yaml', smallSegments).get('market.crypto.trades.binance')
  expect(kafkaTopicsOf(small)[0]?.config['segment.bytes']).toBe('1048576')
})

test('S4-15 what is not there is created, with as many copies as there are brokers', () => {
  const three = planTopics(declared, NONE)
  expect(three).toMatchObject([
    {
      kind: 'create',
      topic: 'market.crypto.trades.binance.batch',
      partitions: 4,
      replication: 3,
      config: { 'min.insync.replicas': '2' },
    },
    { kind: 'create', topic: 'market.crypto.trades.binance', partitions: 40, replication: 3 },
  ])
  expect(planTopics(declared, { ...NONE, brokers: 1 })[0]).toMatchObject({
    replication: 1,
    config: { 'min.insync.replicas': '1' },
  })
  expect(planTopics(declared, { ...NONE, brokers: 2 })[0]).toMatchObject({
    replication: 2,
    config: { 'min.insync.replicas': '2' },
  })
})

test('nothing is left to do when everything stands as declared', () => {
  expect(planTopics(declared, settled())).toEqual([])
})

test('S4-18 fewer partitions than declared are raised', () => {
  expect(planTopics(declared, settled({ partitions: 30 }))).toEqual([
    { kind: 'grow', topic: 'market.crypto.trades.binance', from: 30, to: 40, isFilled: false },
  ])
})

test('S4-18 a topic that holds records does not grow by a plan: its keys would move', () => {
  const changes = planTopics(declared, { ...settled({ partitions: 30 }), filled: new Set(['market.crypto.trades.binance']) })
  expect(() => refuseUnsafe(changes, topics.source)).toThrow(/holds records.*keys would move/)
  expect(() => refuseUnsafe(planTopics(declared, settled({ partitions: 30 })), topics.source)).not.toThrow()
})

test('S4-18 partitions are never taken away: an error that names the file and the field', () => {
  const refuse = (): void => refuseUnsafe(planTopics(declared, settled({ partitions: 60 })), topics.source)
  expect(refuse).toThrow(TopicError)
  expect(refuse).toThrow(
    /config\/topics\.yaml: topics\.market\.crypto\.trades\.binance\.view_partitions: .* has 60 partitions, and 40 are declared/,
  )
})

test('a setting that differs is drift; one this broker does not know is not', () => {
  expect(planTopics(declared, settled({}, { 'retention.ms': '1000' }))).toEqual([
    { kind: 'config', topic: 'market.crypto.trades.binance', entry: 'retention.ms', from: '1000', to: '604800000' },
  ])
  const old = settled()
  const without = new Map(
    [...old.configs].map(([name, entries]) => [name, entries.filter((e) => e.name !== 'message.timestamp.after.max.ms')]),
  )
  expect(planTopics(declared, { ...old, configs: without })).toEqual([])
})

test('copies that differ are told and left to people; in-sync copies are those the topic can have', () => {
  const changes: readonly TopicChange[] = planTopics(declared, settled({ copies: 1 }))
  expect(changes.filter((c) => c.kind === 'replication')).toMatchObject([
    { from: 1, to: 3 },
    { from: 1, to: 3 },
  ])
  // More in-sync copies than copies would stop every write.
  expect(changes.filter((c) => c.kind === 'config').map((c) => [c.entry, c.to])).toEqual([
    ['min.insync.replicas', '1'],
    ['min.insync.replicas', '1'],
  ])
  expect(() => refuseUnsafe(changes, topics.source)).not.toThrow()
})

test('a broker that is down makes no drift; nothing is said of copies until enough brokers live', () => {
  for (const copies of [1, 2, 3])
    expect(planTopics(declared, { ...settled({ copies }), brokers: 2 }).filter((c) => c.kind === 'replication')).toEqual([])
  expect(planTopics(declared, { ...settled(), brokers: 2 })).toEqual([])
  // More brokers than copies is how a cluster usually is.
  expect(planTopics(declared, { ...settled(), brokers: 5 })).toEqual([])
})

test('who makes topics while brokers are missing hears how many copies each one gets', async () => {
  const adminOf = (brokers: number): KafkaAdmin => {
    let held: KafkaTopic[] = []
    const admin: Partial<KafkaAdmin> = {
      cluster: async () => ({
        id: 'test',
        controller: 1,
        brokers: Array.from({ length: brokers }, (_, i) => ({ id: i + 1, host: 'localhost', port: 9_092 + i })),
      }),
      topics: async () => held,
      offsets: async () => [],
      createTopics: async (asked, options) => {
        if (options?.validateOnly !== true) held = asked.map((t) => onBroker(t.name, t.partitions, t.replicationFactor))
        return asked.map(({ name }) => ({ name }))
      },
    }
    return admin as KafkaAdmin
  }
  const fewer = async (brokers: number): Promise<unknown[]> => {
    const heard: unknown[] = []
    await createMissing(adminOf(brokers), declared, systemClock, (...said) => void heard.push(said))
    return heard
  }
  expect(await fewer(1)).toEqual(declared.map((d) => [d.name, 3, 1]))
  expect(await fewer(3)).toEqual([])
})

const smallSegments = `
defaults: { engine_partitions: 4, segment: 64KiB }
asset_classes: { crypto: { exchanges: { binance: { name: Binance, partitions: 4, country: MT, timezone: UTC } } } }
data_types: { ${topics
  .list()
  .map((t) => t.dataType)
  .filter((type, i, all) => all.indexOf(type) === i)
  .map((type) => `${type}: {}`)
  .join(', ')} }
internal: {}
`
