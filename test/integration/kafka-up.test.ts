/** All services on a real broker: the demo with its sum and hashes, and a start while the broker is away. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.js'
import { silentLogger } from '../../src/core/logging.js'
import { runDemo } from '../../src/demo/index.js'
import { readDeadLetters } from '../../src/log/index.js'
import { verifyLog } from '../../src/native/journal-admin.js'
import {
  loadSettings,
  openRuntime,
  type Runtime,
  replicatedTopics,
  servicesOf,
  startUp,
  type Up,
} from '../../src/services/index.js'
import { type Broker, startBroker } from '../support/kafka/broker.js'
import { produceLines } from '../support/kafka/kcat.js'
import { until } from '../support/until.js'
import { SimulatedBinance } from '../support/venues/binance/server.js'

let broker: Broker
let venue: SimulatedBinance | undefined
let up: Up | undefined
let runtime: Runtime | undefined
const directory = mkdtempSync(join(tmpdir(), 'tickwire-kafka-up-'))

beforeAll(async () => {
  broker = await startBroker()
}, 60_000)
afterEach(async () => {
  await up?.stop()
  await runtime?.close()
  await venue?.stop()
})
afterAll(async () => {
  await broker.stop()
  rmSync(directory, { recursive: true, force: true })
})

it('the demo on Kafka: its sum is exact, and what was ingested has one hash in the cluster and in the local log', async () => {
  const lines: string[] = []
  const out = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  }) as unknown as NodeJS.WriteStream
  const options = { seconds: 6, port: 0, seed: 12, rate: 3_000, kafka: broker.bootstrap }
  const code = await runDemo({ ...options, signal: new AbortController().signal, out })
  const text = lines.join('')
  expect(text).toContain('produced = delivered + gaps')
  const hashes = /Kafka ([0-9a-f]{16}), local log ([0-9a-f]{16}): equal/.exec(text)
  expect(hashes?.[1]).toBe(hashes?.[2])
  expect(Number(/on Kafka: (\d+) records/.exec(text)?.[1])).toBeGreaterThan(1_000)
  expect(Number(/ (\d+) records in the open views/.exec(text)?.[1])).toBeGreaterThan(1_000)
  expect(Number(/bars (\d+)/.exec(text)?.[1])).toBeGreaterThan(0)
  expect(code).toBe(0)
}, 120_000)

it('ingestion starts without a broker; when it is back the log is drained, and the other services start', async () => {
  await broker.kill()
  venue = new SimulatedBinance({ seed: 5, eventsPerSecond: 1_000 })
  await venue.start()
  const feed = { exchange: 'binance', symbols: ['BTCUSDT', 'ETHUSDT'], stream_url: venue.streamUrl, rest_url: venue.restUrl }
  const settings = loadSettings({
    environment: {},
    given: {
      data_dir: directory,
      kafka: { brokers: broker.bootstrap },
      ingestion: { feeds: [feed] },
      stream: { port: 0 },
      http: { port: 0 },
    },
  })
  const logger = silentLogger
  runtime = await openRuntime({ settings, service: 'up', connectLater: true, environment: {}, clock: systemClock, logger })
  up = await startUp(runtime, servicesOf(settings))
  const ingestion = up.parts.ingestion
  await until('records in the local log', () => (ingestion?.batcherStats().records ?? 0) > 1_000)
  expect(up.parts.bars).toBeUndefined()
  expect(up.supervisor.health().services.map(({ service }) => service)).toEqual(['ingestion'])
  const health = (await (await fetch(`${up.http.url}/health`)).json()) as Record<string, unknown>
  expect(health).toMatchObject({ status: 'degraded', waits_for_cluster: ['bars', 'views', 'stream'] })
  const before = up.supervisor.health().services[0]?.components.replicator
  expect(before?.details).toHaveProperty('waits_for')

  await broker.restart()
  await until('bars, views and the gateway run', () => up?.supervisor.health().services.length === 4, 30_000)
  await until('the gateway listens', () => (up?.parts.stream?.gateway.port ?? 0) > 0)
  venue.pause()
  const topics = replicatedTopics(runtime).flatMap(({ name, dataType }) =>
    dataType === 'trades' || dataType === 'quotes' ? [name] : [],
  )
  const wanted = { hash: true, topics, epochMin: ingestion?.feeds[0]?.epoch ?? 0 }
  await until(
    'one hash in both',
    async () => {
      const kafka = runtime?.kafka
      if (runtime === undefined || kafka === undefined) return false
      const [local, remote] = [await verifyLog(runtime.local.native, wanted), await verifyLog(kafka.native, wanted)]
      return local.hash === remote.hash && local.records > 1_000
    },
    30_000,
  )
  await until(
    'bars on the cluster',
    () => (up?.parts.bars?.processors[0]?.stats()?.lanes ?? []).some((lane) => lane.records > 0),
    30_000,
  )

  // What somebody else puts among the batches is a dead letter of the bars' group, and the partition goes on.
  const trades = runtime.topics.buildTopicName('crypto', 'trades', 'binance')
  await produceLines(broker.bootstrap, `${trades}.batch`, [':this is no batch'], ['-p', '0'])
  const log = runtime.log
  await until('the dead letter', async () => (await readDeadLetters(log, { topics: [trades] })).length === 1, 30_000)
  const [entry] = await readDeadLetters(log, { topics: [trades] })
  expect(entry?.letter).toMatchObject({ group: 'bars-binance', partition: 0, reasonClass: 'POISON', messageKind: 'batch' })
  const lanes = () => up?.parts.bars?.processors[0]?.stats()?.lanes ?? []
  await until('the partition goes on', () => lanes().every((lane) => lane.position === lane.end), 30_000)
  expect(lanes().reduce((sum, lane) => sum + lane.badBatches, 0)).toBe(1)
}, 120_000)
