/**
 * A recording replayed the way a user's machine does it: a fresh data directory, the configured topics, the registry, the
 * batcher, the bars processor's own thread. Nothing here knows a venue's bytes or computes a bar.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileCsv, loadDeclarations, matchDeclaration } from '../../src/ingestion/csv-options.js'
import { type ReplayOptions, type ReplayResult, replay } from '../../src/ingestion/replay.js'
import type { DataType } from '../../src/model/names.js'
import { symbolOf } from '../../src/model/symbols.js'
import { packageRoot } from '../../src/native/addon.js'
import { createBatcher, type VenueOptions } from '../../src/native/feed.js'
import { type VerifyReport, verifyLog } from '../../src/native/journal-admin.js'
import { type BarBasis, type BarInterval, type BarProcessorStats, createBars } from '../../src/processors/bars/index.js'
import { openRuntime, type Runtime } from '../../src/services/runtime.js'
import { loadSettings } from '../../src/services/settings.js'
import { barsOfRecords, type OracleBar } from './bar-oracle.js'
import { until } from './until.js'

export type SessionDataType = 'trades' | 'quotes' | 'tickers' | 'depth' | 'book' | 'ohlcv'

export interface SessionRecording {
  readonly exchange: string
  readonly files: readonly string[]
  /** Whose frames they are; none for files of records. */
  readonly venue?: string
  readonly venueOptions?: VenueOptions
  /** A CSV source of config/venues by name; none: the one whose patterns the path meets. */
  readonly csv?: string | true
  readonly dataTypes?: readonly SessionDataType[]
  readonly speed?: 'max' | number
  readonly recordsMax?: number
  readonly ringSlots?: number
}

export interface SessionBars {
  readonly input: SessionDataType
  readonly intervals: readonly BarInterval[]
  readonly basis: BarBasis | readonly BarBasis[]
}

const silent = { logging: { level: 'silent' } }
const declarations = () => loadDeclarations(join(packageRoot, 'config', 'venues'))

/** A data directory of its own, removed by close(). */
export class ReplaySession {
  readonly directory: string
  readonly runtime: Runtime
  readonly #isOurs: boolean

  private constructor(directory: string, runtime: Runtime, isOurs: boolean) {
    this.directory = directory
    this.runtime = runtime
    this.#isOurs = isOurs
  }

  static async open(at?: string): Promise<ReplaySession> {
    const directory = at ?? mkdtempSync(join(tmpdir(), 'tickwire-replay-'))
    const settings = loadSettings({ given: { ...silent, data_dir: directory }, environment: {} })
    return new ReplaySession(directory, await openRuntime({ settings, service: 'replay' }), at === undefined)
  }

  topic(exchange: string, dataType: DataType): string {
    return this.runtime.topics.getTopicConfig(this.runtime.exchanges.get(exchange).assetClass, dataType, exchange).name
  }

  /** Topics of an exchange, made in the log. */
  async topics(exchange: string, dataTypes: readonly DataType[]): Promise<string[]> {
    const names = dataTypes.map((type) => this.topic(exchange, type))
    await this.runtime.ensureTopics(names.map((name) => this.runtime.topics.get(name)))
    return names
  }

  /** Puts what the venue's names stand for into the registry; ids in the order of the names. */
  async list(
    exchange: string,
    venueSymbols: readonly string[],
    venue = exchange,
  ): Promise<{ id: number; venueSymbol: string }[]> {
    const listings = venueSymbols.map((name) => ({ symbol: symbolOf(name), sources: [{ venue, venue_symbol: name }] }))
    const definitions = await this.runtime.registry.list(exchange, listings)
    return definitions.map(({ id }, i) => ({ id, venueSymbol: venueSymbols[i] ?? '' }))
  }

  async replay(recording: SessionRecording): Promise<ReplayResult> {
    const { exchange, files, venue, csv, speed, venueOptions, ringSlots, recordsMax } = recording
    const { log, instruments, exchanges, topics: names } = this.runtime
    const dataTypes = recording.dataTypes ?? ['trades']
    const topics = await this.topics(exchange, dataTypes)
    const [gaps = ''] = await this.topics(exchange, ['gaps'])
    const status = names.internalTopic('status')
    await this.runtime.ensureTopics([status])
    const number = exchanges.get(exchange).number
    const batcher = createBatcher({ log: log.native, instruments, ...(recordsMax === undefined ? {} : { recordsMax }) })
    dataTypes.forEach((type, i) => {
      batcher.addRoute(number, type, topics[i] ?? '')
    })
    batcher.addRoute(number, 'gaps', gaps)
    batcher.addRoute(number, 'status', status.name)
    batcher.start()
    try {
      const options: ReplayOptions = {
        files,
        batcher,
        exchange: number,
        source: 0,
        topics,
        dataTypes,
        list: (venueSymbols) => this.list(exchange, venueSymbols, venue ?? 'files'),
        ...(venue === undefined ? {} : { venue }),
        ...(venueOptions === undefined ? {} : { venueOptions }),
        ...(ringSlots === undefined ? {} : { ringSlots }),
        ...(speed === undefined ? {} : { speed }),
        ...(csv === undefined ? {} : { format: 'csv', program: (file) => csvProgram(file, csv) }),
      }
      return await replay(options)
    } finally {
      batcher.stop()
    }
  }

  /** Runs the processor until it has read everything, and takes its bars from the log. */
  async bars(exchange: string, options: SessionBars): Promise<{ bars: OracleBar[]; stats: BarProcessorStats }> {
    const { log } = this.runtime
    if (log.native === undefined) throw new Error('the embedded log is asked for')
    const [input = '', output = ''] = await this.topics(exchange, [options.input, 'ohlcv'])
    const processor = createBars({
      log: log.native,
      inputs: [input],
      output,
      intervals: [...options.intervals],
      basis: typeof options.basis === 'string' ? options.basis : [...options.basis],
    })
    processor.start()
    try {
      await until(
        'the processor has read its input',
        () => {
          const { state, error, lanes } = processor.stats()
          if (state === 'failed') throw new Error(error)
          return (
            lanes.length > 0 && lanes.every(({ position, end }) => end >= 0 && position === end) && this.#isRead(input, lanes)
          )
        },
        60_000,
      )
    } finally {
      processor.stop()
    }
    return { bars: await this.barsInLog(exchange), stats: processor.stats() }
  }

  #isRead(input: string, lanes: BarProcessorStats['lanes']): boolean {
    const native = this.runtime.log.native
    return lanes.every(({ partition, position }) => position === native?.describe(input, partition)?.endOffset)
  }

  /** Symbols are the venue's own spelling, as in the oracle. */
  async barsInLog(exchange: string): Promise<OracleBar[]> {
    const { log, registry } = this.runtime
    const bars: OracleBar[] = []
    for await (const batch of log.read({ topics: [this.topic(exchange, 'ohlcv')] })) {
      const view = batch.view()
      if (view?.name !== 'bar') continue
      const records = view.bytes.slice()
      bars.push(
        ...barsOfRecords(records, (id) => {
          const definition = registry.get(id)
          if (definition === undefined) throw new Error(`a bar of instrument ${id}, which the registry does not have`)
          const { price_exponent: priceExponent, size_exponent: sizeExponent } = definition
          return { symbol: definition.sources[0]?.venue_symbol ?? definition.symbol, priceExponent, sizeExponent }
        }),
      )
    }
    return bars
  }

  /** CRC, order and record hash of the directory. */
  async verify(topics?: readonly string[]): Promise<VerifyReport> {
    return await verifyLog(this.directory, { hash: true, ...(topics === undefined ? {} : { topics: [...topics] }) })
  }

  async close(): Promise<void> {
    await this.runtime.close()
    if (this.#isOurs) rmSync(this.directory, { recursive: true, force: true })
  }
}

function csvProgram(file: string, name: string | true): string {
  const all = declarations()
  const source = name === true ? matchDeclaration(all, file) : all.find((each) => each.name === name)
  if (source === undefined || source.kind !== 'csv') throw new Error(`config/venues has no CSV source for ${file}`)
  return compileCsv(source, file).program
}
