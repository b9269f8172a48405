/** What the services of one process share: the log, the registry, topics, time, metrics, logging. Opened once, closed last. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Clock, systemClock } from '../core/clock.js'
import { makeDirectories } from '../core/directories.js'
import { EnvironmentError, ServiceError } from '../core/errors.js'
import { createLogger, type Logger } from '../core/logging.js'
import { Metrics } from '../core/metrics.js'
import {
  createMissing,
  engineTopic,
  type Handler,
  type KafkaLog,
  kafkaProperties,
  type Log,
  openKafkaLog,
  openLocalLog,
} from '../log/index.js'
import { type ExchangeTable, loadExchanges } from '../model/exchanges.js'
import { Registry } from '../model/registry.js'
import type { TopicConfig, TopicNameBuilder } from '../model/topics.js'
import { loadTopics } from '../model/topics-file.js'
import { createInstruments, type NativeInstruments } from '../native/instruments.js'
import type { InstrumentScale } from '../wire/index.js'
import type { StreamFactory } from './builder.js'
import { LogRegistryStore, topicOptions } from './registry-store.js'
import { checkExchanges, exchangesFileOf, type Settings, topicsFileOf } from './settings.js'
import { createStreams, type ProducerOptions } from './streams.js'

/** syslog's, as librdkafka uses it. */
const LOG_WARNING = 4

export interface Runtime {
  readonly settings: Settings
  /** Where secrets come from. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly directory: string
  /** The log of the data directory: what ingestion writes, whatever else there is. Opened when it is first asked for. */
  readonly local: Log
  /** Whether this machine has a local log to read: it ingests here, or did. Without Kafka always. */
  readonly hasLocal: boolean
  /** What processors, storage and readers use: the cluster's log with Kafka, once connected, else the local one. */
  readonly log: Log
  /** Undefined: Kafka is not asked for, or not connected yet. */
  readonly kafka: KafkaLog | undefined
  readonly topics: TopicNameBuilder
  readonly exchanges: ExchangeTable
  readonly registry: Registry
  readonly instruments: NativeInstruments
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly metrics: Metrics
  /** What the builder makes producers and consumer handlers with. */
  readonly streams: StreamFactory<Handler, ProducerOptions>
  /** Connects to Kafka when it is asked for and not connected; throws KafkaError when no broker can be used. */
  connect(): Promise<void>
  /** Makes the topics, with the settings of config/topics.yaml, in the log of processors or in the one given. */
  ensureTopics(configs: readonly TopicConfig[], log?: Log): Promise<void>
  scaleOf(instrumentId: number): InstrumentScale | undefined
  close(): Promise<void>
}

export interface OpenRuntimeOptions {
  readonly settings: Settings
  readonly service: string
  readonly readOnly?: boolean
  /** Records are made here, although no feed is: definitions stand in the local log, as ingestion's do. */
  readonly ingests?: boolean
  /** With Kafka: do not connect yet; whoever needs the cluster calls `connect`. Ingestion goes on without it. */
  readonly connectLater?: boolean
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly clock?: Clock
  readonly random?: () => number
  readonly logger?: Logger
}

export async function openRuntime(options: OpenRuntimeOptions): Promise<Runtime> {
  const { settings, environment = process.env } = options
  const clock = options.clock ?? systemClock
  const topics = loadTopics(topicsFileOf(settings))
  const exchanges = loadExchanges(exchangesFileOf(settings))
  checkExchanges(settings, exchanges)
  const directory = resolve(settings.data_dir)
  const usesKafka = settings.kafka.brokers !== undefined
  if (options.readOnly !== true) makeDirectory(directory)
  const logger = options.logger ?? createLogger({ service: options.service, level: settings.logging.level })
  const metrics = new Metrics({ processDefaults: true })
  const instruments = createInstruments()
  // The registry reads through the log and the log's symbol filter asks the registry.
  let registry: Registry | undefined
  const instrumentsOf = (symbol: string, topic: string): number[] => {
    const exchange = topics.find(topic)?.exchange
    return exchange === undefined ? [] : (registry?.chain(exchange, symbol).map((d) => d.id) ?? [])
  }
  let opened: Log | undefined
  let kafka: KafkaLog | undefined
  const local = (): Log => {
    opened ??= openLocalLog({
      directory,
      clock,
      durability: settings.log.durability,
      syncIntervalMs: settings.log.sync_interval_ms,
      readOnly: options.readOnly ?? false,
      instrumentsOf,
    })
    return opened
  }
  const log = (): Log => {
    if (!usesKafka) return local()
    if (kafka === undefined) throw new ServiceError('Kafka is not connected yet')
    return kafka
  }
  let connecting: Promise<void> | undefined
  let isClosed = false
  // Whoever asks while it is being done waits for the same.
  const connect = (): Promise<void> => {
    if (!usesKafka || kafka !== undefined) return Promise.resolve()
    connecting ??= openCluster().finally(() => {
      connecting = undefined
    })
    return connecting
  }
  const openCluster = async (): Promise<void> => {
    const { group_protocol: groupProtocol, group_instance_id: groupInstanceId, replication, min_isr: minIsr } = settings.kafka
    const cluster = await openKafkaLog({
      properties: kafkaProperties(settings.kafka, environment),
      groupProtocol,
      groupInstanceId,
      replication,
      minIsr,
      instrumentsOf,
      clock,
      onLog: (level, text) =>
        level <= LOG_WARNING ? logger.warn({ kafka: text }, 'kafka') : logger.debug({ kafka: text }, 'kafka'),
    })
    if (isClosed) await cluster.close()
    else kafka = cluster
  }
  // Ingestion lists instruments and must start without a broker; its definitions reach the cluster with everything else.
  const listsHere = !usesKafka || options.ingests === true || settings.ingestion.feeds.length > 0
  const definitions = (): Log => (listsHere ? local() : log())
  const made = new Registry({
    exchanges,
    store: new LogRegistryStore({ log: definitions, topics, clock, directory }),
    native: instruments,
    onBadMessage: (exchange, key, reason) => logger.warn({ exchange, key, reason }, 'a definition in the registry is not usable'),
  })
  registry = made
  if (!usesKafka) local()
  else if (options.connectLater !== true) await connect()
  const onFewer = (topic: string, wanted: number, has: number): void =>
    logger.warn({ topic, wanted, has }, 'a topic is made with fewer copies than declared: fewer brokers live')
  const ensureTopics: Runtime['ensureTopics'] = async (configs, into = log()) => {
    if (kafka !== undefined && into === kafka) await createMissing(kafka.admin, configs.map(engineTopic), clock, onFewer)
    else for (const config of configs) await into.ensureTopic(topicOptions(config))
  }
  return {
    settings,
    environment,
    directory,
    get local() {
      return local()
    },
    get hasLocal() {
      return listsHere || existsSync(join(directory, 'log.json'))
    },
    get log() {
      return log()
    },
    get kafka() {
      return kafka
    },
    topics,
    exchanges,
    registry: made,
    instruments,
    clock,
    random: options.random ?? Math.random,
    logger,
    metrics,
    streams: createStreams(log, topics, ensureTopics),
    connect,
    ensureTopics,
    scaleOf: (id) => {
      const d = made.get(id)
      return d === undefined ? undefined : { symbol: d.symbol, priceExponent: d.price_exponent, sizeExponent: d.size_exponent }
    },
    close: async () => {
      isClosed = true
      await connecting?.catch(() => undefined)
      try {
        await kafka?.close()
      } finally {
        await opened?.close()
      }
    },
  }
}

function makeDirectory(directory: string): void {
  try {
    makeDirectories(directory)
  } catch (error) {
    throw new EnvironmentError(`cannot make the data directory ${directory}: ${(error as Error).message}`, {
      field: 'data_dir',
      fix: 'choose a directory that this user may write',
      cause: error,
    })
  }
}
