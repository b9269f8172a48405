/**
 * A cluster mirrored to another region by MirrorMaker 2 with the settings of config/deploy/mirror, under `make chaos`: names, partitions, bytes,
 * timestamps and headers are kept; a group goes on in the other region; a mirror that is killed loses nothing and repeats only what readers drop.
 */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { LogBusyError } from '../../src/core/errors.js'
import { type Batch, Dedup, type KafkaLog, openKafkaLog } from '../../src/log/index.js'
import { fieldsOf } from '../../src/wire/index.js'
import { tradeRun } from '../support/batches.js'
import { type Broker, startBroker } from '../support/kafka/broker.js'
import { kafkaHere } from '../support/kafka/dist.js'
import { consumeForeign } from '../support/kafka/foreign/consumers.js'
import { createTopic, kafkaTool } from '../support/kafka/java-tools.js'
import { clusterState, produceLines } from '../support/kafka/kcat.js'
import { Mirror } from '../support/kafka/mirror.js'
import type { Properties } from '../support/kafka/properties.js'
import type { SecureAccess } from '../support/kafka/security.js'
import { until } from '../support/until.js'

const START_MS = 180_000
const PARTITIONS = 2
/** Two instruments in each partition. */
const INSTRUMENTS = [0, 1, 2, 3]
const RECORDS = 5
/** The placement of Java and of our views; librdkafka's own differs. */
const HASH = ['-X', 'topic.partitioner=murmur2_random']

/** How MirrorMaker reaches a source that asks for a password: it stands in a file of its own, as docs/guides/kafka-mirror.md says. */
function secureSource(access: SecureAccess): Properties {
  const secrets = join(dirname(access.ca), 'mirror-secrets.properties')
  writeFileSync(secrets, `password=${access.password}\n`)
  const login = 'org.apache.kafka.common.security.scram.ScramLoginModule required'
  return {
    'config.providers': 'file',
    'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
    'source.security.protocol': 'SASL_SSL',
    'source.sasl.mechanism': 'SCRAM-SHA-512',
    'source.sasl.jaas.config': `${login} username="${access.user}" password="\${file:${secrets}:password}";`,
    'source.ssl.truststore.type': 'PEM',
    'source.ssl.truststore.location': access.ca,
  }
}

/** What a reader has of a topic once it dropped repeats: each stream's records in the order they came. */
class Reading {
  readonly streams = new Map<number, string[]>()
  readonly #dedup = new Dedup()
  records = 0
  repeats = 0

  take(batch: Batch): void {
    const view = batch.view()
    if (view === undefined) throw new Error(`${batch.topic}/${batch.partition} at ${batch.offset} cannot be read`)
    const instrument = fieldsOf(view.name).instrument_id!
    for (let i = 0; i < view.count; i++) {
      if (!this.#dedup.accept(view, i)) {
        this.repeats++
        continue
      }
      this.records++
      const id = view.number(instrument, i)
      this.streams.set(id, [...(this.streams.get(id) ?? []), Buffer.from(view.record(i)).toString('base64')])
    }
  }
}

async function readAll(log: KafkaLog, topic: string): Promise<Reading> {
  const reading = new Reading()
  for await (const batch of log.read({ topics: [topic], from: 'begin' })) reading.take(batch)
  return reading
}

/** `count` batches of each instrument, from its record number `first` on. */
async function append(log: KafkaLog, topic: string, first: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const seq = first + i * RECORDS
    const done = await Promise.all(
      INSTRUMENTS.map((instrument) =>
        log.append(topic, instrument % PARTITIONS, {
          kind: 'batch',
          value: tradeRun(seq, RECORDS, { instrument: instrument + 1 }),
        }),
      ),
    )
    expect(done.map(({ status }) => status)).toEqual(INSTRUMENTS.map(() => 'ok'))
  }
}

// Skipped aloud where programs that real brokers need are missing: kafkaHere names them.
describe.skipIf(!kafkaHere(['java', 'mvn', 'kcat', 'openssl']))('a mirror in another region', () => {
  let source: Broker
  let target: Broker
  let mirror: Mirror
  const logs: KafkaLog[] = []

  const open = async ({ bootstrap }: Broker, groupProtocol: 'consumer' | 'classic' = 'classic'): Promise<KafkaLog> => {
    const log = await openKafkaLog({ properties: { 'bootstrap.servers': bootstrap }, groupProtocol, replication: 1, minIsr: 1 })
    logs.push(log)
    return log
  }

  /** What a reader has of the target's copy; nothing as long as the topic is only being made. */
  async function copied(there: KafkaLog, topic: string): Promise<Reading> {
    const partitions = (await clusterState(target.bootstrap)).topics.get(`${topic}.batch`) ?? []
    return partitions.length > 0 && partitions.every(({ leader }) => leader >= 0) ? await readAll(there, topic) : new Reading()
  }

  beforeAll(async () => {
    source = await startBroker({ secureListeners: true })
    target = await startBroker()
    const access = source.secure!
    mirror = new Mirror({ source: access.saslBootstrap, target: target.bootstrap, properties: secureSource(access) })
    await mirror.start()
  }, START_MS)
  afterEach(async () => {
    for (const log of logs.splice(0)) await log.close()
  })
  afterAll(async () => {
    await mirror?.stop()
    await source?.stop()
    await target?.stop()
  }, START_MS)

  it('copies market data under its name: partitions, keys, values, timestamps, headers', async () => {
    const topic = 'market.crypto.trades.kraken'
    const keys = ['XBTUSD', 'ETHUSD', 'SOLUSD', 'ADAUSD']
    const lines = Array.from({ length: 200 }, (_, i) => `${keys[i % keys.length]}:${i}`)
    await createTopic(source.bootstrap, topic, ['--partitions', '3'])
    await produceLines(source.bootstrap, topic, lines, [...HASH, '-H', 'tw-kind=o', '-H', 'venue=kraken'])
    await mirror.brings('the topic', async () => (await clusterState(target.bootstrap)).topics.has(topic))
    const all = (bootstrap: string) => consumeForeign('kcat', { bootstrap, topic, count: lines.length })
    const copied = await all(target.bootstrap)
    expect(copied).toEqual(await all(source.bootstrap))
    expect(copied[0]?.headers).toEqual({ 'tw-kind': 'o', venue: 'kraken' })
    expect(new Set(copied.map(({ partition }) => partition)).size).toBeGreaterThan(1)
  })

  it('copies compaction with a topic, and leaves out what is true in the source region alone', async () => {
    const left = [
      'market.crypto.trades.kraken.dlq',
      'market.crypto.ohlcv.kraken',
      'market.crypto.ohlcv.kraken.batch',
      'tickwire.status',
      'tickwire.state.bars',
      'orders',
    ]
    for (const name of left) await produceLines(source.bootstrap, name, ['a:1'])
    // Made after the others: when the mirror has found it, it has seen them.
    const compacted = 'market.crypto.reference_data.kraken.batch'
    await createTopic(source.bootstrap, compacted, ['--config', 'cleanup.policy=compact', '--config', 'retention.ms=-1'])
    const names = async () => [...(await clusterState(target.bootstrap)).topics.keys()]
    await mirror.brings('the compacted topic', async () => (await names()).includes(compacted))
    expect((await names()).filter((name) => left.includes(name))).toEqual([])
    const described = ['--bootstrap-server', target.bootstrap, '--describe', '--topic', compacted]
    const description = () => kafkaTool('org.apache.kafka.tools.TopicCommand', described)
    expect(await description()).toMatch(/cleanup\.policy=compact.*retention\.ms=-1|retention\.ms=-1.*cleanup\.policy=compact/)
  })

  it.each(['consumer', 'classic'] as const)('a group of protocol %s goes on in the other region', async (protocol) => {
    const here = await open(source, protocol)
    const there = await open(target, protocol)
    const topic = `market.crypto.trades.group_${protocol}`
    const group = `storage-${protocol}`
    const [known, all, left] = [60, 300, 260]
    const perPartition = (messages: number): number => messages * PARTITIONS * RECORDS
    const produced = perPartition(all)
    const partitions = Array.from({ length: PARTITIONS }, (_, p) => p)
    const positions = (log: KafkaLog) => Promise.all(partitions.map(async (p) => (await log.committed(group, topic, p)) ?? 0))

    const handled = new Reading()
    await here.ensureTopic({ name: topic, partitions: PARTITIONS })
    const first = await here.consumer({
      group,
      topics: [topic],
      from: 'begin',
      handler: async (batch) => {
        // Tried again a second later, and the region goes before that: the position of what was not processed is not committed.
        if (batch.offset >= left) throw new LogBusyError('this is for the other region')
        handled.take(batch)
      },
    })
    // MirrorMaker translates what a group does after it has first seen it.
    await append(here, topic, 1, known / 2)
    await mirror.brings('the group', async () => (await positions(there)).every((position) => position > 0))
    await append(here, topic, 1 + (known / 2) * RECORDS, (all - known) / 2)
    await until('the group to come to its last position', () => handled.records === perPartition(left))
    await first.stop()
    expect(await positions(here)).toEqual(partitions.map(() => left))
    await mirror.brings('the records', async () => (await copied(there, topic)).records === produced)
    await mirror.brings('its positions', async () => (await positions(there)).every((position) => position > known))
    const translated = await positions(there)
    for (const position of translated) expect(position).toBeLessThanOrEqual(left)

    const repeatsBefore = handled.repeats
    const second = await there.consumer({ group, topics: [topic], from: 'end', handler: async (batch) => handled.take(batch) })
    await until('the rest to be handled', () => handled.records >= produced)
    await second.stop()
    expect(handled.records).toBe(produced)
    expect(handled.streams).toEqual((await readAll(here, topic)).streams)
    console.log(
      `${protocol}: position ${left} of ${all} became ${translated}; ${handled.repeats - repeatsBefore} records came again`,
    )
  })

  it('kill -9 of the mirror under load: each stream whole and in order after repeats are dropped', async () => {
    const here = await open(source)
    const there = await open(target)
    const topic = 'market.crypto.trades.killed'
    const [batches, rounds] = [100, 4]
    await here.ensureTopic({ name: topic, partitions: PARTITIONS })
    for (let round = 0; round < rounds; round++) {
      const before = round * batches * RECORDS * INSTRUMENTS.length
      const producing = append(here, topic, 1 + round * batches * RECORDS, batches)
      await mirror.brings('some of this round', async () => (await copied(there, topic)).records > before)
      await mirror.kill()
      await producing
      await mirror.start()
    }
    const produced = rounds * batches * RECORDS * INSTRUMENTS.length
    await mirror.brings('all records', async () => (await copied(there, topic)).records >= produced)
    const all = await copied(there, topic)
    expect(all.records).toBe(produced)
    expect(all.streams).toEqual((await readAll(here, topic)).streams)
    console.log(`mirror killed ${rounds} times: ${produced} records are there, and ${all.repeats} repeats that readers drop`)
  })
})
