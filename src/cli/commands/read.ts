import type { Command } from 'commander'
import { UsageError } from '../../core/errors.js'
import type { Batch, Hole } from '../../log/index.js'
import { symbolOf } from '../../model/symbols.js'
import type { Runtime } from '../../services/runtime.js'
import { type DecodedRecord, decodeRecord } from '../../wire/index.js'
import { commandOf, openToRead } from '../command.js'
import type { Io } from '../io.js'
import { type Cell, csvCell, type Format, formatOf, formatOption, jsonText, timeText } from '../output.js'
import { listOf, placeOf, timeOf } from '../places.js'

interface ReadCommandOptions {
  readonly data: string
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
  return commandOf('read', 'print the records of a topic, decoded: one line a record', [
    'read market.crypto.trades.binance --data ./data --symbols BTCUSDT --follow',
    'read normalized.ohlcv --data ./data --from 10m --format csv',
    'read market.crypto.trades.binance --from 2026-11-21T09:00:00Z --to 2026-11-21T09:01:00Z',
  ])
    .argument('<topic>', 'a full name, an alias, or a name with * for a part')
    .option('--data <dir>', 'the data directory', './data')
    .option('--from <place>', 'begin, end, an ISO time, a duration ago, offset:N, epoch.seq:E.S', 'begin')
    .option('--to <place>', 'where to stop, exclusive; the end of now when not given')
    .option('--symbols <list>', 'only these, separated by commas')
    .option('--partition <n>', 'only this partition')
    .option('--limit <n>', 'stop after so many records')
    .option('--follow', 'go on with what is appended')
    .addOption(formatOption())
    .action(async (topic: string, options: ReadCommandOptions) => {
      const runtime = await openToRead(io, options.data)
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
  const held = new Set((await runtime.log.topics()).map((t) => t.name))
  const names = held.has(topic) ? [topic] : runtime.topics.resolve(topic).map((t) => t.name)
  const topics = names.filter((name) => held.has(name))
  if (topics.length === 0) {
    throw new UsageError(`${options.data} holds nothing of ${topic}`, {
      field: 'topic',
      validValues: [...held].toSorted(),
      fix: 'use one of these',
    })
  }
  await runtime.registry.refresh([...new Set(topics.flatMap((name) => runtime.topics.find(name)?.exchange ?? []))])
  const symbols = options.symbols === undefined ? undefined : listOf(options.symbols).map(symbolOf)
  const writer = new RecordWriter(io, formatOf(io, options.format))
  const [fromTime, toTime] = [timeOf(from), to === undefined ? undefined : timeOf(to)]
  const batches = runtime.log.read({
    topics,
    from,
    signal: io.signal,
    follow: options.follow ?? false,
    // The message that holds the time is still wanted, up to the time.
    ...(to === undefined || toTime !== undefined ? {} : { to }),
    ...(symbols === undefined ? {} : { symbols }),
    ...(options.partition === undefined ? {} : { partitions: [wholeOf(options.partition, '--partition')] }),
    onHole: (hole) => io.err(holeText(hole)),
  })
  let printed = 0
  for await (const batch of batches) {
    for (const record of await recordsOf(runtime, batch)) {
      // Messages are whole: the first and the last may hold records outside the times asked for.
      const tsRecv = typeof record.ts_recv === 'string' ? BigInt(record.ts_recv) : undefined
      if (tsRecv !== undefined && ((fromTime !== undefined && tsRecv < fromTime) || (toTime !== undefined && tsRecv >= toTime)))
        continue
      await writer.write(record)
      if (++printed >= limit) break
    }
    if (options.follow === true) await writer.flush()
    if (printed >= limit) break
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

async function recordsOf(runtime: Runtime, batch: Batch): Promise<DecodedRecord[]> {
  const place = { topic: batch.topic, partition: batch.partition }
  const view = batch.view()
  if (view === undefined)
    return [{ ...place, offset: batch.offset, type: batch.kind, key: batch.key, value: opaqueText(batch.value) }]
  const out: DecodedRecord[] = []
  for (const index of batch.selected ?? Array.from({ length: view.count }, (_, i) => i)) {
    let record = decodeRecord(view, index, (id) => runtime.scaleOf(id))
    // An unknown instrument may have been listed since: the registry is read to its end once.
    if (
      record.raw === true &&
      typeof record.instrument_id === 'number' &&
      (await runtime.registry.resolve(record.instrument_id)) !== undefined
    ) {
      record = decodeRecord(view, index, (id) => runtime.scaleOf(id))
    }
    out.push({ ...place, offset: batch.offset + index, ...record })
  }
  return out
}

function opaqueText(value: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value.slice())
  } catch {
    return `base64:${Buffer.from(value).toString('base64')}`
  }
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
