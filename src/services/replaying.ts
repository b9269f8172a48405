/** A recording into the log of a data directory: topics, registry, batcher and the replay itself, as `tickwire replay` runs it. */
import { join, resolve } from 'node:path'
import type { Master } from '../adapters/masters.js'
import { UsageError } from '../core/errors.js'
import { compileCsv, loadDeclarations, matchDeclaration, type SourceDeclaration } from '../ingestion/csv-options.js'
import { readListing, risingRuns } from '../ingestion/listings.js'
import { type ReplayInstrument, type ReplayProgress, type ReplayResult, replay } from '../ingestion/replay.js'
import { firstBytes } from '../ingestion/sources/file-chunks.js'
import { recordedVenue, type SourceFormat } from '../ingestion/sources/source-format.js'
import { isSymbol, symbolOf } from '../model/symbols.js'
import { packageRoot } from '../native/addon.js'
import { createBatcher, type FeedDataType } from '../native/feed.js'
import { takeDefinitions } from './cluster-replay.js'
import { routeExchange } from './routes.js'
import type { Runtime } from './runtime.js'

export interface ReplayIntoOptions {
  readonly files: readonly string[]
  /** Whose messages the frames are: kite, dhan, binance…; files of records and our own captures need none. */
  readonly venue?: string
  /** Symbol space of the instruments; the venue's own when not given. */
  readonly exchange?: string
  readonly format?: SourceFormat
  /** For CSV files whose name does not tell. */
  readonly symbol?: string
  /** Name of a CSV declaration, when the file's name does not choose one. */
  readonly declaration?: string
  readonly source?: number
  /** Of venues whose packets carry numbers (kite, dhan): the master that names them. */
  readonly master?: Master
  readonly speed?: 'max' | number
  readonly batchRecords?: number
  readonly depthLevels?: 0 | 5 | 10 | 20
  readonly bookLevels?: boolean
  readonly venueBars?: boolean
  readonly onProgress?: (progress: ReplayProgress) => void
  readonly signal?: AbortSignal
}

export interface ReplayIntoResult extends ReplayResult {
  readonly exchange: string
  readonly topics: readonly string[]
}

/** What the recording's own feed had listed, in the same order: ids and scales come out the same. */
async function listRecorded(
  runtime: Runtime,
  exchange: string,
  venue: string,
  listings: readonly string[],
): Promise<ReplayInstrument[]> {
  const ids = new Map<string, number>()
  for (const text of listings) {
    const listing = readListing(text)
    if (listing === undefined) {
      runtime.logger.warn({ exchange, text: text.slice(0, 200) }, 'the recording lists instruments in a way that is not known')
      continue
    }
    if (listing.exchange !== exchange) continue
    for (const run of risingRuns(listing.instruments)) {
      const definitions = await runtime.registry.list(exchange, run)
      for (const [i, { sources }] of run.entries()) {
        const name = sources.find((source) => source.venue === venue)?.venue_symbol
        if (name !== undefined && name !== '') ids.set(name, (definitions[i] as { id: number }).id)
      }
    }
  }
  return [...ids].map(([venueSymbol, id]) => ({ id, venueSymbol }))
}

const DATASET = { from: 8, to: 24 } as const

/** The exchange of a Databento file is told by the dataset in its header. */
async function dbnDeclaration(all: readonly SourceDeclaration[], file: string): Promise<SourceDeclaration | undefined> {
  const bytes = Buffer.from(await firstBytes(file))
  if (bytes.toString('latin1', 0, 3) !== 'DBN') return undefined
  const dataset = bytes.toString('latin1', DATASET.from, DATASET.to).replace(/\0.*$/, '')
  return all.find((declared) => declared.kind === 'dbn' && declared.dataset === dataset)
}

const sampledVenues = new Set(['kite', 'dhan'])

/** Only what the recording has: a master may list a hundred thousand. */
async function listByNumber(runtime: Runtime, exchange: string, master: Master, numbers: readonly string[]) {
  const wanted = new Set(numbers)
  const rows = master.rows.filter((row) => row.exchange === exchange && wanted.has(row.venueKey.toString()))
  const definitions = await runtime.registry.list(
    exchange,
    rows.map((row) => row.listing),
  )
  return definitions.map((definition, i) => ({
    id: definition.id,
    venueSymbol: definition.symbol,
    venueKey: rows[i]?.venueKey ?? 0n,
  }))
}

export async function replayInto(runtime: Runtime, options: ReplayIntoOptions): Promise<ReplayIntoResult> {
  const declarations = loadDeclarations(join(packageRoot, 'config', 'venues'))
  const first = options.files[0]
  if (first === undefined) throw new UsageError('a replay needs at least one file')
  const venue = options.venue ?? (await recordedVenue(first))
  const chosen =
    options.declaration === undefined
      ? venue === undefined
        ? (matchDeclaration(declarations, resolve(first)) ?? (await dbnDeclaration(declarations, first)))
        : undefined
      : declarations.find((declaration) => declaration.name === options.declaration)
  if (options.declaration !== undefined && chosen === undefined) {
    throw new UsageError(
      `there is no declaration ${options.declaration}; valid: ${declarations.map((one) => one.name).join(', ')}`,
    )
  }
  const exchangeName = options.exchange ?? chosen?.exchange ?? venue
  if (exchangeName === undefined) {
    throw new UsageError(`${first} does not tell its venue`, {
      field: '--venue',
      fix: 'give --venue (frames, captures) or --exchange and --declaration (CSV, DBN)',
    })
  }
  if (exchangeName === venue && sampledVenues.has(venue)) {
    throw new UsageError(`${exchangeName} is a broker of several exchanges`, {
      field: '--exchange',
      fix: 'give --exchange, such as --exchange nse',
    })
  }
  const exchange = runtime.exchanges.get(exchangeName)
  const isSampled = sampledVenues.has(venue ?? '')
  const dataTypes: FeedDataType[] = isSampled ? ['tickers', 'quotes', 'depth'] : ['trades', 'quotes', 'tickers']
  if ((options.depthLevels ?? 0) > 0 && !isSampled) dataTypes.push('depth')
  if (options.bookLevels === true) dataTypes.push('book')
  if (options.venueBars === true || (chosen?.kind === 'csv' && chosen.record.endsWith('bar'))) dataTypes.push('ohlcv')

  const batcher = createBatcher({
    log: runtime.local.native,
    instruments: runtime.instruments,
    origin: runtime.clock.wallNs(),
    ...(options.batchRecords === undefined ? {} : { recordsMax: options.batchRecords }),
  })
  try {
    const topics = await routeExchange(runtime, batcher, exchange, dataTypes)
    if (runtime.kafka !== undefined) await takeDefinitions(runtime, exchange.name)
    await runtime.registry.refresh([exchange.name])
    batcher.start()
    const result = await replay({
      files: options.files,
      batcher,
      exchange: exchange.number,
      source: options.source ?? 0,
      sampled: isSampled,
      clock: runtime.clock,
      topics: topics.map((topic) => topic.name),
      venueOptions: {
        depthLevels: options.depthLevels ?? 0,
        bookLevels: options.bookLevels ?? false,
        bars: dataTypes.includes('ohlcv'),
      },
      ...(venue === undefined ? {} : { venue }),
      // A CSV file is never told by its bytes: the declaration says that it is one.
      ...(chosen?.kind === 'csv' ? { format: 'csv' as const } : options.format === undefined ? {} : { format: options.format }),
      ...(chosen?.kind === 'csv'
        ? {
            program: (file: string) =>
              compileCsv(chosen, file, options.symbol === undefined ? {} : { symbol: options.symbol }).program,
          }
        : {}),
      speed: options.speed ?? 'max',
      list: async (names, listings) => {
        if (options.master !== undefined) return await listByNumber(runtime, exchange.name, options.master, names)
        const listed = await listRecorded(runtime, exchange.name, venue ?? '', listings)
        const known = new Set(listed.map((instrument) => instrument.venueSymbol))
        // A name that makes no symbol stays unknown: its records are counted, the others are replayed.
        const usable = names.filter((name) => !known.has(name) && isSymbol(name.trim().toUpperCase().replaceAll(/[/ ]/g, '-')))
        const definitions = await runtime.registry.list(
          exchange.name,
          usable.map((name) => ({
            symbol: symbolOf(name),
            sources: [{ venue: venue ?? 'files', venue_symbol: name }],
          })),
        )
        return [...listed, ...definitions.map((definition, i) => ({ id: definition.id, venueSymbol: usable[i] as string }))]
      },
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    return { ...result, exchange: exchange.name, topics: topics.map((topic) => topic.name) }
  } finally {
    batcher.stop()
  }
}
