/** The log as a library gives it: a data directory, or a recording, read as batches or as objects. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '../core/logging.js'
import type { Batch } from '../log/index.js'
import type { DataType } from '../model/names.js'
import type { Registry } from '../model/registry.js'
import type { TopicNameBuilder } from '../model/topics.js'
import type { DecodedRecord } from '../wire/index.js'
import { type CatchUpOptions, catchUpBars } from './catch-up.js'
import { type ReadRecordsOptions, readBatches, readRecords } from './reading.js'
import { type ReplayIntoOptions, type ReplayIntoResult, replayInto } from './replaying.js'
import { openRuntime } from './runtime.js'
import { loadSettings } from './settings.js'

export interface OpenOptions {
  /** The data directory. */
  readonly directory: string
  /** Without it the log is only read. */
  readonly write?: boolean
}

export interface TickwireLog {
  readonly directory: string
  readonly topics: TopicNameBuilder
  readonly registry: Registry
  /** Batches; views are valid until the next step. Topics may be full names, aliases, or names with `*` for a part. */
  read(options: ReadRecordsOptions): AsyncGenerator<Batch, void, undefined>
  /** Records as objects: prices and sizes as exact decimal text, 64-bit integers as text. */
  records(options: ReadRecordsOptions): AsyncGenerator<DecodedRecord, void, undefined>
  /** A recording into this log; needs `write`. */
  replay(options: ReplayIntoOptions): Promise<ReplayIntoResult>
  /** Bars of everything it holds of an exchange, into `market.….ohlcv.…`; needs `write`. Answers how many were made now. */
  bars(options: MakeBarsOptions): Promise<number>
  close(): Promise<void>
}

export interface MakeBarsOptions {
  readonly exchange: string
  readonly intervals: CatchUpOptions['intervals']
  /** None: trades when there are any, else tickers, else both sides of the quotes. */
  readonly bases?: CatchUpOptions['bases']
  readonly align?: 'clock' | 'session'
}

export async function openLog(options: OpenOptions): Promise<TickwireLog> {
  const settings = loadSettings({ environment: {}, given: { data_dir: options.directory } })
  const runtime = await openRuntime({ settings, service: 'library', readOnly: options.write !== true, logger: silentLogger })
  return {
    directory: runtime.directory,
    topics: runtime.topics,
    registry: runtime.registry,
    read: (wanted) => readBatches(runtime, wanted),
    records: (wanted) => readRecords(runtime, wanted),
    replay: (wanted) => replayInto(runtime, wanted),
    bars: async ({ exchange, ...wanted }) => {
      const stats = await catchUpBars(runtime, { exchange: runtime.exchanges.get(exchange), ...wanted })
      return stats?.lanes.reduce((sum, lane) => sum + lane.appended, 0) ?? 0
    },
    close: () => runtime.close(),
  }
}

export interface ReadCaptureOptions extends ReplayIntoOptions {
  readonly dataTypes?: readonly DataType[]
  readonly symbols?: readonly string[]
}

/** Records of a recording, by topic and partition: it goes through a log of its own, which is removed afterwards. */
export async function* readCapture(options: ReadCaptureOptions): AsyncGenerator<DecodedRecord, void, undefined> {
  const { dataTypes = ['trades', 'quotes', 'tickers'], symbols, ...replayed } = options
  const directory = await mkdtemp(join(tmpdir(), 'tickwire-capture-'))
  const log = await openLog({ directory, write: true })
  try {
    const { exchange, topics } = await log.replay(replayed)
    const wanted = topics.filter((name) => dataTypes.some((type) => name.split('.')[2] === type))
    await log.registry.refresh([exchange])
    yield* log.records({ topics: wanted, ...(symbols === undefined ? {} : { symbols }) })
  } finally {
    await log.close()
    await rm(directory, { recursive: true, force: true })
  }
}
