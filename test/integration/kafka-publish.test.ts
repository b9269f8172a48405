/** What a log becomes on a real broker: the engine's topic with one record hash, and views that other people's consumers read. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Log, openLog } from '../../src/log/index.js'
import { packageRoot } from '../../src/native/addon.js'
import { openKafkaAdmin } from '../../src/native/kafka.js'
import { createRecordHash, partitionOf } from '../../src/native/model.js'
import {
  type KafkaCompression,
  makeReplicator,
  makeViewPublisher,
  type PublisherStats,
  type ViewEncoding,
} from '../../src/native/publish.js'
import { tradeBatch } from '../support/batches.js'
import { kafkaHere, pythonWithClients } from '../support/kafka/dist.js'
import { consumeForeign, type ForeignMessage, foreignKinds } from '../support/kafka/foreign/consumers.js'
import { sharedBroker, uniqueName } from '../support/kafka/shared.js'
import { until } from '../support/until.js'

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT']
const VIEW_PARTITIONS = 6
const EACH = 50

// Skipped aloud where programs that real brokers need are missing: kafkaHere names them.
describe.skipIf(!kafkaHere())('a log on a real broker', () => {
  let bootstrap: string
  let directory: string
  let log: Log

  beforeAll(async () => {
    bootstrap = await sharedBroker()
    directory = await mkdtemp(join(tmpdir(), 'tw-kafka-publish-'))
    log = await openLog({ directory })
  }, 120_000)

  afterAll(async () => {
    await log.close()
    await rm(directory, { recursive: true, force: true })
  })

  async function makeTopic(partitions: number, suffix = ''): Promise<string> {
    const topic = `market.crypto.trades.${uniqueName('x').replace('-', '_')}`
    const admin = openKafkaAdmin({ 'bootstrap.servers': bootstrap })
    const made = await admin.createTopics([{ name: topic + suffix, partitions, replicationFactor: 1, config: {} }])
    admin.close()
    expect(made[0]?.error).toBeUndefined()
    return topic
  }

  async function fill(topic: string, partitions: number): Promise<void> {
    await log.ensureTopic({ name: topic, partitions })
    for (let partition = 0; partition < partitions; partition++) {
      for (let seq = 1; seq <= EACH; seq += 10) {
        const trades = Array.from({ length: 10 }, (_, i) =>
          SYMBOLS.map((_, at) => ({ instrument: partition * 100 + at + 1, seq: seq + i })),
        ).flat()
        const { status } = await log.append(topic, partition, { kind: 'batch', value: tradeBatch(trades) })
        expect(status).toBe('ok')
      }
    }
  }

  async function view(encoding: ViewEncoding, compression: KafkaCompression): Promise<string> {
    const topic = await makeTopic(VIEW_PARTITIONS)
    await fill(topic, 1)
    const views = makeViewPublisher(log.native.engine(), {
      properties: { 'bootstrap.servers': bootstrap },
      compression,
      views: [{ topic, encoding, schemaIds: { trade: 258 } }],
    })
    for (const [at, symbol] of SYMBOLS.entries()) expect(views.addInstrument(at + 1, symbol, -2, -3)).toBe(true)
    await views.start()
    await until('all records are acknowledged', () => views.stats().acknowledged === EACH * SYMBOLS.length)
    await views.stop()
    expect(views.stats().state).toBe('stopped')
    return topic
  }

  function expectWhole(messages: readonly ForeignMessage[], seqOf: (message: ForeignMessage, index: number) => number): void {
    const next = new Map<string, number>()
    for (const [index, message] of messages.entries()) {
      const symbol = message.key ?? ''
      expect(SYMBOLS).toContain(symbol)
      expect(message.partition).toBe(partitionOf(symbol, VIEW_PARTITIONS))
      const seq = (next.get(symbol) ?? 0) + 1
      next.set(symbol, seq)
      expect(seqOf(message, index)).toBe(seq)
      expect(message.timestamp).toBe(1_700_000_000_000 + seq)
    }
    expect([...next.values()]).toEqual(SYMBOLS.map(() => EACH))
  }

  test('a JSON view is read by kcat, Python and Java', async () => {
    // kafka-python alone knows none of the codecs.
    const topic = await view('json', 'none')
    for (const kind of foreignKinds) {
      const messages = await consumeForeign(kind, { bootstrap, topic, count: EACH * SYMBOLS.length, timeoutMs: 60_000 })
      expectWhole(messages, (message) => {
        const { symbol, seq, price, id } = JSON.parse(message.value.toString('utf8'))
        expect(symbol).toBe(message.key)
        expect(price).toBe(`${seq}`)
        expect(id).toBe(`t-${SYMBOLS.indexOf(symbol) + 1}-0-1700000000-${seq}`)
        return seq
      })
    }
  }, 180_000)

  test('an Avro view is decoded by fastavro with the schema of the repository', async () => {
    const topic = await view('avro', 'snappy')
    const messages = await consumeForeign('confluent-kafka', {
      bootstrap,
      topic,
      count: EACH * SYMBOLS.length,
      timeoutMs: 60_000,
    })
    for (const { value } of messages) expect(value.subarray(0, 5)).toEqual(Buffer.from([0, 0, 0, 1, 2]))
    const schema = await readFile(join(packageRoot, 'config/schema/avro/trade.avsc'), 'utf8')
    const program = [
      'import sys, json, base64, io, fastavro',
      'given = json.load(sys.stdin)',
      'schema = fastavro.parse_schema(json.loads(given["schema"]))',
      'print(json.dumps([fastavro.schemaless_reader(io.BytesIO(base64.b64decode(v)), schema) for v in given["values"]]))',
    ].join('\n')
    const python = promisify(execFile)(await pythonWithClients(), ['-c', program], { maxBuffer: 1 << 24 })
    python.child.stdin?.end(JSON.stringify({ schema, values: messages.map(({ value }) => value.subarray(5).toString('base64')) }))
    const decoded = JSON.parse((await python).stdout)
    expectWhole(messages, (message, index) => {
      const { symbol, seq, price, price_exponent, event_id } = decoded[index]
      expect([symbol, price, price_exponent]).toEqual([message.key, seq * 100, -2])
      expect(event_id).toBe(`t-${SYMBOLS.indexOf(symbol) + 1}-0-1700000000-${seq}`)
      return seq
    })
  }, 180_000)

  test('the replicated topic has the record hash of the log', async () => {
    const partitions = 3
    const topic = await makeTopic(partitions, '.batch')
    await fill(topic, partitions)
    const replicator = makeReplicator(log.native.engine(), { properties: { 'bootstrap.servers': bootstrap }, topics: [topic] })
    await replicator.start()
    const records = partitions * EACH * SYMBOLS.length
    const caughtUp = ({ topics }: PublisherStats) => topics.length === 1 && topics[0]?.lag === 0
    await until('the replicator has caught up', () => replicator.stats().records === records && caughtUp(replicator.stats()))
    const { messages } = replicator.stats()
    await replicator.stop()
    const read = await consumeForeign('confluent-kafka', {
      bootstrap,
      topic: `${topic}.batch`,
      count: messages,
      timeoutMs: 60_000,
    })
    const inKafka = createRecordHash()
    for (const { value } of read) inKafka.add(value)
    const inLog = createRecordHash()
    for (let partition = 0; partition < partitions; partition++) {
      for (let seq = 1; seq <= EACH; seq++) {
        inLog.add(tradeBatch(SYMBOLS.map((_, at) => ({ instrument: partition * 100 + at + 1, seq }))))
      }
    }
    expect(inKafka.records).toBe(records)
    expect(inKafka.digest()).toBe(inLog.digest())
  }, 120_000)

  test('a Worker ends over a replicator whose brokers are away', async () => {
    const topic = `market.crypto.trades.${uniqueName('away').replace('-', '_')}`
    await fill(topic, 1)
    const program = `
      const { parentPort, workerData } = require('node:worker_threads')
      const { NativeLog } = require(workerData.main)
      const { NativeReplicator } = require(workerData.kafka)
      const log = new NativeLog(workerData.directory)
      const replicator = new NativeReplicator(log.engine(), {
        properties: { 'bootstrap.servers': '127.0.0.1:1' }, topics: [workerData.topic], group: 'away' })
      replicator.start().then(() => parentPort.postMessage('started'))
      setInterval(() => replicator.stats(), 1)`
    const workerData = {
      topic,
      directory,
      main: join(packageRoot, 'build', 'native', 'tickwire.node'),
      kafka: join(packageRoot, 'build', 'kafka', 'tickwire_kafka.node'),
    }
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(program, { eval: true, workerData })
      expect(await once(worker, 'message')).toEqual(['started'])
      expect(await worker.terminate()).toBe(1)
    }
  }, 60_000)
})
