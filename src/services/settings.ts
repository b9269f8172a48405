/** What config/tickwire.yaml may say, with its defaults and the environment variables that override it. */
import { join } from 'node:path'
import { z } from 'zod'
import { type EnvironmentOverride, loadConfig } from '../core/config.js'
import { ConfigError } from '../core/errors.js'
import { logLevels } from '../core/logging.js'
import { kafkaShape } from '../log/kafka/connection.js'
import type { ExchangeTable } from '../model/exchanges.js'
import { isSymbol } from '../model/symbols.js'
import { intervalNames } from '../model/units.js'
import { packageRoot } from '../native/addon.js'

const port = z.int().min(0).max(65_535)
const symbol = z.string().refine(isSymbol, 'expected 1 to 40 of A-Z 0-9 . & _ -')
const exchange = z.string().regex(/^[a-z0-9_]{1,32}$/, 'expected the name of an exchange')

const feedSchema = z.strictObject({
  exchange,
  /** Whose protocol it speaks; the exchange's own when not given. */
  venue: exchange.optional(),
  symbols: z.array(symbol).min(1).max(10_000),
  channels: z
    .array(z.enum(['trades', 'quotes', 'book', 'bars']))
    .min(1)
    .default(['trades', 'quotes']),
  source: z.int().min(0).max(127).default(0),
  depth_levels: z.union([z.literal(0), z.literal(5), z.literal(10), z.literal(20)]).default(0),
  book_levels: z.boolean().default(false),
  policy: z.enum(['block', 'drop', 'conflate']).default('drop'),
  ring_slots: z.int().min(1_024).max(4_194_304).default(65_536),
  stream_url: z.string().min(1).optional(),
  rest_url: z.string().min(1).optional(),
  record_to: z.string().min(1).optional(),
})

const section = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).prefault({} as never)

export const settingsSchema = z.strictObject({
  data_dir: z.string().min(1).default('./data'),
  topics_file: z.string().min(1).optional(),
  exchanges_file: z.string().min(1).optional(),
  log: section({
    durability: z.enum(['process', 'interval', 'batch']).default('process'),
    sync_interval_ms: z.int().min(1).max(60_000).default(100),
  }),
  kafka: section(kafkaShape),
  ingestion: section({
    instance_id: z.int().min(1).max(1_024).default(1),
    total_instances: z.int().min(1).max(1_024).default(1),
    batch_records_max: z.int().min(1).max(4_096).default(256),
    batch_age_max_us: z.int().min(50).max(1_000_000).default(1_000),
    feeds: z.array(feedSchema).max(64).default([]),
  }),
  bars: section({
    inputs: z
      .array(z.enum(['trades', 'tickers', 'quotes', 'ohlcv']))
      .min(1)
      .default(['trades']),
    exchanges: z.array(exchange).default([]),
    intervals: z.array(z.enum(intervalNames)).min(1).default(['1s', '1m']),
    bases: z
      .array(z.enum(['trade', 'ticker', 'bid', 'ask', 'mid', 'bar']))
      .min(1)
      .default(['trade']),
    align: z.enum(['clock', 'session']).default('clock'),
  }),
  stream: section({
    host: z.string().min(1).default('127.0.0.1'),
    port: port.default(8_080),
    client_bytes_max: z.int().min(65_536).max(1_073_741_824).default(4_194_304),
    slow: z.enum(['conflate', 'disconnect']).default('conflate'),
  }),
  http: section({ host: z.string().min(1).default('127.0.0.1'), port: port.default(9_100) }),
  logging: section({ level: z.enum(logLevels).default('info') }),
})
export type Settings = z.output<typeof settingsSchema>
export type FeedSettings = Settings['ingestion']['feeds'][number]

/** Names the owner's documents made public keep their spelling. */
export const environmentOverrides: readonly (EnvironmentOverride & { readonly help: string })[] = [
  { name: 'INSTANCE_ID', path: ['ingestion', 'instance_id'], kind: 'integer', help: 'This ingestion instance, from 1.' },
  {
    name: 'TOTAL_INSTANCES',
    path: ['ingestion', 'total_instances'],
    kind: 'integer',
    help: 'How many ingestion instances share the symbols.',
  },
  {
    name: 'KAFKA_BOOTSTRAP_SERVERS',
    path: ['kafka', 'brokers'],
    kind: 'string',
    help: 'Brokers, host:port, separated by commas.',
  },
  { name: 'KAFKA_SASL_USERNAME', path: ['kafka', 'security', 'username'], kind: 'string', help: 'The SASL user.' },
  { name: 'SCHEMA_REGISTRY_URL', path: ['kafka', 'registry', 'url'], kind: 'string', help: 'The schema registry.' },
  { name: 'TICKWIRE_DATA_DIR', path: ['data_dir'], kind: 'string', help: 'The data directory.' },
  { name: 'TICKWIRE_DURABILITY', path: ['log', 'durability'], kind: 'string', help: 'process, interval or batch.' },
  { name: 'TICKWIRE_HTTP_PORT', path: ['http', 'port'], kind: 'integer', help: 'Port of /health and /metrics.' },
  { name: 'TICKWIRE_STREAM_PORT', path: ['stream', 'port'], kind: 'integer', help: 'Port of the gateway and its page.' },
  { name: 'TICKWIRE_LOG_LEVEL', path: ['logging', 'level'], kind: 'string', help: 'debug, info, warn, error or silent.' },
]

export interface LoadSettingsOptions {
  readonly file?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly given?: Readonly<Record<string, unknown>>
}

export function loadSettings(options: LoadSettingsOptions = {}): Settings {
  const settings = loadConfig({
    schema: settingsSchema,
    overrides: environmentOverrides,
    environment: options.environment ?? process.env,
    ...(options.file === undefined ? {} : { file: options.file }),
    ...(options.given === undefined ? {} : { given: options.given }),
  })
  const { instance_id: id, total_instances: total } = settings.ingestion
  if (id > total) {
    throw new ConfigError(`ingestion.instance_id is ${id} of ${total} instances`, {
      field: 'ingestion.instance_id',
      fix: 'number the instances 1 to ingestion.total_instances (INSTANCE_ID, TOTAL_INSTANCES)',
    })
  }
  return settings
}

/** What only the other files can tell: that the exchanges named exist. */
export function checkExchanges(settings: Settings, exchanges: ExchangeTable): void {
  for (const feed of settings.ingestion.feeds) exchanges.get(feed.exchange)
  for (const name of settings.bars.exchanges) exchanges.get(name)
  const keys = settings.ingestion.feeds.map((f) => `${f.exchange}-${f.source}`)
  const twice = keys.find((key, i) => keys.indexOf(key) !== i)
  if (twice !== undefined) {
    throw new ConfigError(`two feeds are ${twice}`, { field: 'ingestion.feeds', fix: 'give the second one another `source`' })
  }
}

export const topicsFileOf = (settings: Settings): string => settings.topics_file ?? join(packageRoot, 'config', 'topics.yaml')
export const exchangesFileOf = (settings: Settings): string =>
  settings.exchanges_file ?? join(packageRoot, 'config', 'exchanges.yaml')
