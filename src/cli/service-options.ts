/** The options that `up`, `run` and `record` share, as settings above file and environment. */
import { type Command, Option } from 'commander'
import { UsageError } from '../core/errors.js'
import { symbolOf } from '../model/symbols.js'
import { loadSettings, type Settings } from '../services/settings.js'
import { wholeOf } from './commands/read.js'
import type { Io } from './io.js'
import { listOf } from './places.js'

export interface ServiceOptions {
  readonly config?: string
  readonly data?: string
  readonly kafka?: string
  readonly venue?: string
  readonly symbols?: string
  readonly channels?: string
  readonly intervals?: string
  readonly exchanges?: string
  readonly port?: string
  readonly httpPort?: string
  readonly streamUrl?: string
  readonly restUrl?: string
  readonly logLevel?: string
}

export const withServiceOptions = (command: Command): Command =>
  command
    .option('--config <file>', 'the configuration file')
    .option('--data <dir>', 'the data directory (default ./data)')
    .option('--kafka <host:port>', 'brokers, separated by commas: the log on a Kafka cluster')
    .option('--venue <name>', 'a live venue: binance, binance_usdm, binance_coinm')
    .option('--symbols <list>', 'its symbols, separated by commas')
    .option('--channels <list>', 'trades, quotes, book, bars (default trades,quotes)')
    .option('--intervals <list>', 'bars to make (default 1s,1m)')
    .option('--exchanges <list>', 'exchanges whose bars are made and streamed (default those of the feeds)')
    .option('--port <n>', 'port of the page and the gateway (default 8080; 0: any)')
    .option('--http-port <n>', 'port of /health and /metrics (default 9100; 0: any)')
    .addOption(new Option('--log-level <level>', 'how much is logged').choices(['debug', 'info', 'warn', 'error', 'silent']))
    .option('--stream-url <url>', 'another WebSocket endpoint of the venue')
    .option('--rest-url <url>', 'another REST endpoint of the venue')

export function settingsOf(io: Io, options: ServiceOptions, feed: Readonly<Record<string, unknown>> = {}): Settings {
  if ((options.venue === undefined) !== (options.symbols === undefined)) {
    throw new UsageError('--venue and --symbols belong together', {
      field: options.venue === undefined ? '--venue' : '--symbols',
      fix: 'give both, or list feeds in --config',
    })
  }
  const feeds =
    options.venue === undefined
      ? undefined
      : [
          {
            exchange: options.venue,
            symbols: listOf(options.symbols ?? '').map(symbolOf),
            ...(options.channels === undefined ? {} : { channels: listOf(options.channels) }),
            ...(options.streamUrl === undefined ? {} : { stream_url: options.streamUrl }),
            ...(options.restUrl === undefined ? {} : { rest_url: options.restUrl }),
            ...feed,
          },
        ]
  const bars = {
    ...(options.intervals === undefined ? {} : { intervals: listOf(options.intervals) }),
    ...(options.exchanges === undefined ? {} : { exchanges: listOf(options.exchanges) }),
  }
  return loadSettings({
    file: options.config,
    environment: io.environment,
    given: {
      ...(options.data === undefined ? {} : { data_dir: options.data }),
      ...(options.kafka === undefined ? {} : { kafka: { brokers: options.kafka } }),
      ...(feeds === undefined ? {} : { ingestion: { feeds } }),
      bars,
      ...(options.port === undefined ? {} : { stream: { port: wholeOf(options.port, '--port') } }),
      ...(options.httpPort === undefined ? {} : { http: { port: wholeOf(options.httpPort, '--http-port') } }),
      ...(options.logLevel === undefined ? {} : { logging: { level: options.logLevel } }),
    },
  })
}
