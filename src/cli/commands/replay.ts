import { statSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { type MasterVenue, masterVenues, readMaster } from '../../adapters/masters.js'
import { CheckFailedError, UsageError } from '../../core/errors.js'
import { silentLogger } from '../../core/logging.js'
import { type SourceFormat, sourceFormats } from '../../ingestion/index.js'
import { type IntervalName, intervalNames } from '../../model/units.js'
import { verifyLog } from '../../native/journal-admin.js'
import { catchUpBars } from '../../services/catch-up.js'
import { hashedTopics } from '../../services/reading.js'
import { type ReplayIntoOptions, type ReplayIntoResult, replayInto } from '../../services/replaying.js'
import { openRuntime, type Runtime } from '../../services/runtime.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { configOption, type LogOptions, logSettings } from '../log-options.js'
import { bytesText, factsText, formatOf, formatOption } from '../output.js'
import { listOf } from '../places.js'
import { countText, Progress } from '../progress.js'
import { drainReplay } from '../replay-cluster.js'
import { fileBytes } from './decode.js'
import { wholeOf } from './read.js'

const bases = ['trade', 'ticker', 'bid', 'ask', 'mid', 'bar'] as const
type Basis = (typeof bases)[number]

interface ReplayCommandOptions extends LogOptions {
  readonly speed: string
  readonly venue?: string
  readonly exchange?: string
  readonly source?: string
  readonly format?: string
  readonly input?: string
  readonly symbol?: string
  readonly master?: string
  readonly declaration?: string
  readonly batchRecords?: string
  readonly depth?: string
  readonly book?: boolean
  readonly venueBars?: boolean
  readonly bars: string | false
  readonly basis?: string
  readonly align: 'clock' | 'session'
  readonly hash?: boolean
}

export function replayCommand(io: Io): Command {
  return commandOf(
    'replay',
    'replay a recording into the log and make its bars; nothing is dropped, and running it again resumes',
    [
      'replay session.gz --venue binance --data ./data',
      'replay BINANCE.ws.1.0.gz BINANCE.http.0.0.gz --venue binance --data ./data --speed 1',
      'replay spy_tick_trade_20131007.csv.gz --declaration lean-equity-tick-trade --data ./data --bars 1m --hash',
      'replay btc.twr --kafka localhost:9092 --data ./outbox --hash',
    ],
  )
    .argument('<files...>', 'the files of one recording: captures, DBN, CSV, plain or gzip')
    .option('--data <dir>', 'the data directory (default ./data)')
    .option('--kafka <host:port>', 'drain the data directory to this Kafka cluster, and make the bars there')
    .addOption(configOption())
    .option('--speed <speed>', 'max, or how many times faster than it was recorded', 'max')
    .option('--venue <name>', 'whose frames a capture holds: kite, dhan, binance, binance_usdm, binance_coinm, coinbase, kraken')
    .option('--exchange <name>', 'the symbol space (default the venue’s, or the declaration’s)')
    .option('--source <n>', 'number of the feed, 0 to 127', '0')
    .addOption(
      new Option('--input <format>', 'what the files are; told by their first bytes when not given').choices([...sourceFormats]),
    )
    .option('--declaration <name>', 'a CSV source of config/venues; chosen by the file’s name when not given')
    .option('--symbol <symbol>', 'for files that do not name theirs')
    .option('--master <file>', 'the venue’s instrument master, CSV, plain or gzip (kite, dhan)')
    .option('--depth <levels>', 'a top-N image on each book change: 0, 5, 10, 20', '0')
    .option('--book', 'one record per book change')
    .option('--venue-bars', 'take the venue’s own bars as well')
    .option('--batch-records <n>', 'records of a batch, at most')
    .option('--bars <intervals>', 'bars to make, separated by commas', '1s,1m,5m')
    .option('--no-bars', 'make none')
    .option('--basis <list>', `what bars are made of: ${bases.join(', ')} (default: what the recording has)`)
    .addOption(
      new Option('--align <how>', 'bars stand on the clock, or on the exchange’s session')
        .choices(['clock', 'session'])
        .default('clock'),
    )
    .option('--hash', 'print the record hash of the data directory, or of the cluster')
    .addOption(formatOption())
    .action(async (files: string[], options: ReplayCommandOptions) => {
      const wanted = optionsOf(files, options)
      const intervals = options.bars === false ? [] : intervalsOf(options.bars)
      const runtime = await open(io, options)
      try {
        const startedMs = io.clock.monotonicMs()
        const result = await withProgress(io, runtime, files, wanted)
        const drained = runtime.kafka === undefined ? {} : await drainReplay(io, runtime, result)
        const bars =
          intervals.length === 0
            ? undefined
            : await catchUpBars(runtime, {
                exchange: runtime.exchanges.get(result.exchange),
                intervals,
                bases: options.basis === undefined ? undefined : basesOf(options.basis),
                align: options.align,
                signal: io.signal,
              })
        const seconds = (io.clock.monotonicMs() - startedMs) / 1_000
        const hash = options.hash === true ? await hashOf(runtime) : undefined
        await io.out(
          factsText(
            {
              ...factsOf(result),
              ...drained,
              bars: barsOf(bars),
              seconds: Number(seconds.toFixed(3)),
              ...(hash === undefined ? {} : { hash }),
            },
            formatOf(io, options.format),
          ),
        )
        const { unknown, frames, records, reasons } = result.stats
        if (unknown.length > 0)
          io.err(
            `not in the registry, not published: ${unknown.slice(0, 20).join(', ')}${unknown.length > 20 ? ` and ${unknown.length - 20} more` : ''}\n`,
          )
        const refused = Object.values(reasons).reduce((sum, count) => sum + count, 0)
        if (frames > 0 && records === 0 && refused >= frames)
          throw new CheckFailedError(`no record came out of ${frames} frames: ${sumOf(reasons)}`, {
            field: 'files',
            fix: 'say whose frames they are (--venue) and what the files are (--input)',
          })
      } finally {
        await runtime.close()
      }
    })
}

function open(io: Io, options: LogOptions): Promise<Runtime> {
  const settings = logSettings(io, options)
  const { environment, clock } = io
  return openRuntime({ settings, service: 'cli', ingests: true, environment, logger: silentLogger, clock })
}

async function hashOf(runtime: Runtime): Promise<string | undefined> {
  const topics = await hashedTopics(runtime)
  return (await verifyLog(runtime.log.native, { hash: true, ...(topics === undefined ? {} : { topics }) })).hash
}

function optionsOf(files: readonly string[], options: ReplayCommandOptions): ReplayIntoOptions {
  const speed = options.speed === 'max' ? 'max' : Number(options.speed)
  if (speed !== 'max' && !(speed > 0 && speed <= 1e6))
    throw new UsageError(`${JSON.stringify(options.speed)} is no speed`, { field: '--speed', validValues: ['max', '1', '10'] })
  const source = wholeOf(options.source ?? '0', '--source')
  if (source > 127) throw new UsageError('a source is 0 to 127', { field: '--source' })
  const depth = wholeOf(options.depth ?? '0', '--depth')
  if (depth !== 0 && depth !== 5 && depth !== 10 && depth !== 20)
    throw new UsageError(`${depth} levels are not kept`, { field: '--depth', validValues: ['0', '5', '10', '20'] })
  return {
    files,
    speed,
    source,
    depthLevels: depth,
    bookLevels: options.book ?? false,
    venueBars: options.venueBars ?? false,
    ...(options.venue === undefined ? {} : { venue: options.venue }),
    ...(options.exchange === undefined ? {} : { exchange: options.exchange }),
    ...(options.input === undefined ? {} : { format: options.input as SourceFormat }),
    ...(options.symbol === undefined ? {} : { symbol: options.symbol }),
    ...(options.master === undefined ? {} : { master: masterOf(options.venue, options.master) }),
    ...(options.declaration === undefined ? {} : { declaration: options.declaration }),
    ...(options.batchRecords === undefined ? {} : { batchRecords: wholeOf(options.batchRecords, '--batch-records') }),
  }
}

function masterOf(venue: string | undefined, file: string) {
  if (!masterVenues.includes(venue as MasterVenue))
    throw new UsageError('a master belongs to a venue', { field: '--venue', validValues: masterVenues })
  return readMaster(venue as MasterVenue, new TextDecoder().decode(fileBytes(file)), file)
}

function intervalsOf(text: string): IntervalName[] {
  return listOf(text).map((name) => {
    if (!intervalNames.includes(name as IntervalName))
      throw new UsageError(`${JSON.stringify(name)} is no interval`, { field: '--bars', validValues: intervalNames })
    return name as IntervalName
  })
}

function basesOf(text: string): Basis[] {
  return listOf(text).map((name) => {
    if (!bases.includes(name as Basis))
      throw new UsageError(`${JSON.stringify(name)} is no basis`, { field: '--basis', validValues: bases })
    return name as Basis
  })
}

async function withProgress(
  io: Io,
  runtime: Runtime,
  files: readonly string[],
  options: ReplayIntoOptions,
): Promise<ReplayIntoResult> {
  const bytesTotal = files.reduce((sum, file) => sum + statSync(file).size, 0)
  let seen = { bytes: 0, records: 0 }
  const progress = new Progress(io, (s) => {
    const share = bytesTotal === 0 ? 100 : Math.floor((100 * seen.bytes) / bytesTotal)
    return `replaying ${share} % · ${countText(seen.records)} records · ${countText(seen.records / s)}/s · ${bytesText(seen.bytes)}`
  })
  try {
    return await replayInto(runtime, {
      ...options,
      signal: io.signal,
      onProgress: (now) => {
        seen = now
      },
    })
  } finally {
    progress.end()
  }
}

const sumOf = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ')

function factsOf({ exchange, epoch, held, stats, bytes }: ReplayIntoResult) {
  return {
    exchange,
    epoch,
    bytes,
    frames: stats.frames,
    records: stats.records,
    gaps: stats.gaps,
    clocks: stats.clocks,
    held,
    repeats: stats.repeats,
    book_checks: stats.books.checks,
    book_mismatches: stats.books.mismatches,
    counted: sumOf(stats.reasons),
    stepped_over: sumOf(stats.skipped),
  }
}

const barsOf = (stats: Awaited<ReturnType<typeof catchUpBars>>): number =>
  stats?.lanes.reduce((sum, lane) => sum + lane.bars.bars + lane.bars.corrections, 0) ?? 0
