import type { Command } from 'commander'
import { UsageError } from '../../core/errors.js'
import type { Hole } from '../../log/index.js'
import { symbolOf } from '../../model/symbols.js'
import { readRecords } from '../../services/reading.js'
import type { Runtime } from '../../services/runtime.js'
import type { DecodedRecord } from '../../wire/index.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { type LogOptions, openToRead, withLogOptions } from '../log-options.js'
import { type Cell, csvCell, type Format, formatOf, formatOption, jsonText, timeText } from '../output.js'
import { listOf, placeOf } from '../places.js'

interface ReadCommandOptions extends LogOptions {
  readonly from: string
  readonly to?: string
  readonly symbols?: string
  readonly partition?: string
  readonly limit?: string
  readonly follow?: boolean
  readonly format?: string
}

const CHUNK_CHARS = 64 * 1024

export function readCommand(io: Io): Command {
  return withLogOptions(
    commandOf('read', 'print the records of a topic, decoded: one line a record', [
      'read market.crypto.trades.binance --data ./data --symbols BTCUSDT --follow',
      'read normalized.ohlcv --kafka localhost:9092 --from 10m --format csv',
      'read market.crypto.trades.binance --from 2026-11-21T09:00:00Z --to 2026-11-21T09:01:00Z',
    ]).argument('<topic>', 'a full name, an alias, or a name with * for a part'),
  )
    .option('--from <place>', 'begin, end, an ISO time, a duration ago, offset:N, epoch.seq:E.S, an event id', 'begin')
    .option('--to <place>', 'where to stop, exclusive; the end of now when not given')
    .option('--symbols <list>', 'only these, separated by commas')
    .option('--partition <n>', 'only this partition')
    .option('--limit <n>', 'stop after so many records')
    .option('--follow', 'go on with what is appended')
    .addOption(formatOption())
    .action(async (topic: string, options: ReadCommandOptions) => {
      const runtime = await openToRead(io, options)
      try {
        await readTopic(io, runtime, topic, options)
      } finally {
        await runtime.close()
      }
    })
}

async function readTopic(io: Io, runtime: Runtime, topic: string, options: ReadCommandOptions): Promise<void> {
  const nowNs = io.clock.wallNs()
  const from = placeOf(options.from, '--from', nowNs)
  const to = options.to === undefined ? undefined : placeOf(options.to, '--to', nowNs)
  if (to !== undefined && options.follow === true) throw new UsageError('--follow never stops: leave out --to', { field: '--to' })
  const limit = options.limit === undefined ? Number.POSITIVE_INFINITY : wholeOf(options.limit, '--limit')
  const symbols = options.symbols === undefined ? undefined : listOf(options.symbols).map(symbolOf)
  const writer = new RecordWriter(io, formatOf(io, options.format))
  const records = readRecords(runtime, {
    topics: [topic],
    from,
    signal: io.signal,
    follow: options.follow ?? false,
    ...(to === undefined ? {} : { to }),
    ...(symbols === undefined ? {} : { symbols }),
    ...(options.partition === undefined ? {} : { partitions: [wholeOf(options.partition, '--partition')] }),
    onHole: (hole) => io.err(holeText(hole)),
  })
  let printed = 0
  for await (const record of limit === 0 ? [] : records) {
    await writer.write(record)
    // A follower's records come when they come: each is shown at once.
    if (options.follow === true) await writer.flush()
    if (++printed >= limit) break
  }
  await writer.flush()
  if (io.signal.aborted && options.follow !== true) throw io.signal.reason
}

const holeText = (hole: Hole): string =>
  `hole: ${hole.topic} partition ${hole.partition}: offsets ${hole.from} to ${hole.to - 1} are gone (${hole.reason})\n`

export function wholeOf(text: string, option: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`${JSON.stringify(text.slice(0, 40))} is not a whole number`, {
      field: option,
      fix: 'give a number such as 100',
    })
  return Number(text)
}

/** JSON lines; CSV with a header line whenever the columns change; or one readable line a record. */
class RecordWriter {
  readonly #io: Io
  readonly #format: Format
  #columns = ''
  #chunk = ''

  constructor(io: Io, format: Format) {
    this.#io = io
    this.#format = format
  }

  async write(record: DecodedRecord): Promise<void> {
    if (this.#format === 'json') this.#chunk += `${jsonText(record)}\n`
    else if (this.#format === 'csv') this.#csv(record)
    else this.#chunk += lineText(record)
    if (this.#chunk.length > CHUNK_CHARS) await this.flush()
  }

  async flush(): Promise<void> {
    const chunk = this.#chunk
    this.#chunk = ''
    if (chunk !== '') await this.#io.out(chunk)
  }

  #csv(record: DecodedRecord): void {
    const columns = Object.keys(record).join(',')
    if (columns !== this.#columns) this.#chunk += `${columns}\n`
    this.#columns = columns
    const cells = Object.values(record).map((v) => csvCell(typeof v === 'object' && v !== null ? jsonText(v) : (v as Cell)))
    this.#chunk += `${cells.join(',')}\n`
  }
}

const inLine = new Set(['topic', 'partition', 'offset', 'id', 'type', 'symbol', 'instrument_id', 'ts_event', 'ts_recv', 'flags'])

function lineText(record: DecodedRecord): string {
  const time = typeof record.ts_event === 'string' ? timeText(BigInt(record.ts_event)) : ''
  const rest = Object.entries(record)
    .filter(([key, value]) => !inLine.has(key) && value !== null)
    .map(([key, value]) => `${key}=${typeof value === 'object' ? jsonText(value) : value}`)
  const flags = Array.isArray(record.flags) && record.flags.length > 0 ? ` [${record.flags.join(' ')}]` : ''
  return `${time.padEnd(30)} ${String(record.symbol ?? record.key ?? '').padEnd(12)} ${String(record.type).padEnd(7)} ${rest.join(' ')}${flags}\n`
}
