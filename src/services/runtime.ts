/** What the services of one process share: the log, the registry, topics, time, metrics, logging. Opened once, closed last. */
import { resolve } from 'node:path'
import { type Clock, systemClock } from '../core/clock.js'
import { makeDirectories } from '../core/directories.js'
import { EnvironmentError } from '../core/errors.js'
import { createLogger, type Logger } from '../core/logging.js'
import { Metrics } from '../core/metrics.js'
import { type Handler, type Log, openLog } from '../log/index.js'
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

export interface Runtime {
  readonly settings: Settings
  readonly directory: string
  readonly log: Log
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
  /** Makes the topics in the log, with the settings of config/topics.yaml. */
  ensureTopics(configs: readonly TopicConfig[]): Promise<void>
  scaleOf(instrumentId: number): InstrumentScale | undefined
  close(): Promise<void>
}

export interface OpenRuntimeOptions {
  readonly settings: Settings
  readonly service: string
  readonly readOnly?: boolean
  readonly clock?: Clock
  readonly random?: () => number
  readonly logger?: Logger
}

export async function openRuntime(options: OpenRuntimeOptions): Promise<Runtime> {
  const { settings } = options
  const clock = options.clock ?? systemClock
  const topics = loadTopics(topicsFileOf(settings))
  const exchanges = loadExchanges(exchangesFileOf(settings))
  checkExchanges(settings, exchanges)
  const directory = resolve(settings.data_dir)
  if (options.readOnly !== true) makeDirectory(directory)
  const logger = options.logger ?? createLogger({ service: options.service, level: settings.logging.level })
  const metrics = new Metrics({ processDefaults: true })
  const instruments = createInstruments()
  // The registry reads through the log and the log's symbol filter asks the registry.
  let registry: Registry | undefined
  const log = await openLog({
    directory,
    clock,
    durability: settings.log.durability,
    syncIntervalMs: settings.log.sync_interval_ms,
    readOnly: options.readOnly ?? false,
    instrumentsOf: (symbol, topic) => {
      const exchange = topics.find(topic)?.exchange
      return exchange === undefined ? [] : (registry?.chain(exchange, symbol).map((d) => d.id) ?? [])
    },
  })
  const opened = new Registry({
    exchanges,
    store: new LogRegistryStore({ log, topics, clock, directory }),
    native: instruments,
    onBadMessage: (exchange, key, reason) => logger.warn({ exchange, key, reason }, 'a definition in the registry is not usable'),
  })
  registry = opened
  return {
    settings,
    directory,
    log,
    topics,
    exchanges,
    registry: opened,
    instruments,
    clock,
    random: options.random ?? Math.random,
    logger,
    metrics,
    streams: createStreams(log, topics),
    ensureTopics: async (configs) => {
      for (const config of configs) await log.ensureTopic(topicOptions(config))
    },
    scaleOf: (id) => {
      const d = opened.get(id)
      return d === undefined ? undefined : { symbol: d.symbol, priceExponent: d.price_exponent, sizeExponent: d.size_exponent }
    },
    close: () => log.close(),
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
