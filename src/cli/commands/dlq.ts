import { type Command, Option } from 'commander'
import { UsageError } from '../../core/errors.js'
import { retryPolicies } from '../../core/retry.js'
import { batchOfLetter, readLetter, requestRedrive } from '../../log/index.js'
import { type FoundLetter, findLetters, type LetterFilter, letterFields, redriveObstacle } from '../../services/dead-letters.js'
import { decodeBatch } from '../../services/reading.js'
import type { Runtime } from '../../services/runtime.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { type LogOptions, openToRead, openToWrite, withLogOptions } from '../log-options.js'
import { factsText, formatOf, formatOption, jsonText, rowsText } from '../output.js'
import { placeOf } from '../places.js'

interface FilterOptions extends LogOptions {
  readonly topic?: string
  readonly group?: string
  readonly class?: string
  readonly reason?: string
  readonly since?: string
  readonly filter: readonly string[]
  readonly format?: string
}

export function dlqCommand(io: Io): Command {
  return commandOf('dlq', 'list dead letters, show one, have them tried again', [
    'dlq list --kafka localhost:9092',
    'dlq redrive --group storage --dry-run',
  ])
    .addCommand(listCommand(io))
    .addCommand(showCommand(io))
    .addCommand(redriveCommand(io))
}

const collected = (value: string, before: readonly string[]): readonly string[] => [...before, value]

const withFilters = (command: Command): Command =>
  withLogOptions(command)
    .option('--topic <name>', 'of this topic: a full name, an alias, or a name with * for a part')
    .option('--group <name>', 'of this consumer group')
    .addOption(new Option('--class <class>', 'why they died').choices(Object.keys(retryPolicies)))
    .option('--reason <text>', 'whose reason holds this text')
    .option('--since <place>', 'that died at or after an ISO time or a duration ago')
    .option('--filter <field=value>', 'whose column has this value; may be given several times', collected, [])
    .addOption(formatOption())

function filterOf(io: Io, options: FilterOptions): LetterFilter {
  const { topic, group, reason } = options
  const place = options.since === undefined ? undefined : placeOf(options.since, '--since', io.clock.wallNs())
  if (place !== undefined && !(typeof place === 'object' && 'time' in place)) {
    throw new UsageError('--since needs a time or a duration', { field: '--since', fix: 'give for example 1h' })
  }
  return { topic, group, class: options.class, reason, since: place?.time, fields: options.filter }
}

/** A terminal is narrow: the id tells group, topic, partition, offset and index once more. */
const columnsOf = (format: string): readonly string[] =>
  format === 'table' ? ['state', 'class', 'review', 'due', 'attempts', 'type', 'symbol', 'reason', 'id'] : letterFields

function listCommand(io: Io): Command {
  return withFilters(
    commandOf('list', 'list dead letters with what killed them and what to do about it', [
      'dlq list --group storage --class POISON',
      'dlq list --topic market.crypto.trades.binance --filter symbol=BTCUSDT --since 1h',
    ]),
  )
    .option('--all', 'also those that were redriven')
    .action(async (options: FilterOptions & { all?: boolean }) => {
      const runtime = await openToRead(io, options)
      try {
        const found = await findLetters(runtime, filterOf(io, options))
        const rows = found.map(({ row }) => ({ ...row })).filter(({ state }) => options.all === true || state !== 'redriven')
        const format = formatOf(io, options.format)
        await io.out(rowsText(rows, format, columnsOf(format)))
      } finally {
        await runtime.close()
      }
    })
}

function showCommand(io: Io): Command {
  return withLogOptions(
    commandOf('show', 'show one dead letter with its record decoded', [
      'dlq show storage/market.crypto.trades.binance/0/1234/7 --data ./data',
    ]).argument('<id>', 'its id, as `dlq list` prints it'),
  )
    .addOption(formatOption())
    .action(async (id: string, options: LogOptions & { format?: string }) => {
      const runtime = await openToRead(io, options)
      try {
        const [found] = await findLetters(runtime, { fields: [`id=${id}`] })
        if (found === undefined) {
          throw new UsageError(`there is no dead letter ${id}`, { field: 'id', fix: '`tickwire dlq list --all` lists them' })
        }
        await io.out(factsText({ ...found.row, ...(await contentOf(runtime, found)) }, formatOf(io, options.format)))
      } finally {
        await runtime.close()
      }
    })
}

/** The record decoded, or the message as text. */
async function contentOf(runtime: Runtime, { entry }: FoundLetter): Promise<Record<string, string>> {
  const letter = await readLetter(runtime.log, entry)
  if (letter === undefined) return { record: 'taken by retention' }
  const decoded = await decodeBatch(runtime, batchOfLetter(letter, BigInt(letter.tsDead)))
  return { correlation_id: letter.correlationId, record: decoded.map((record) => jsonText(record)).join('\n') }
}

function redriveCommand(io: Io): Command {
  return withFilters(
    commandOf('redrive', 'ask the groups that failed them to try dead letters again; running it twice changes nothing', [
      'dlq redrive --group storage --class TRANSIENT',
      'dlq redrive --group storage --reason "bad price" --reviewed --dry-run',
    ]),
  )
    .option('--reviewed', 'also those whose plan wants somebody to look first: you have')
    .option('--early', 'also those whose plan advises to wait longer')
    .option('--dry-run', 'print what would be asked for, ask for nothing')
    .action(async (options: FilterOptions & { reviewed?: boolean; early?: boolean; dryRun?: boolean }) => {
      const isDry = options.dryRun === true
      const runtime = await (isDry ? openToRead : openToWrite)(io, options)
      try {
        const found = (await findLetters(runtime, filterOf(io, options))).filter(({ entry }) => entry.state !== 'redriven')
        const nowNs = io.clock.wallNs()
        const given = { isReviewed: options.reviewed === true, isEarly: options.early === true, nowNs }
        const judged = found.map((each) => ({ ...each, obstacle: redriveObstacle(each.entry, given) }))
        const ready = judged.flatMap(({ entry, obstacle }) => (obstacle === undefined ? [entry] : []))
        if (!isDry) await requestRedrive(runtime.log, ready, nowNs)
        const rows = judged.map(({ row, obstacle }) => ({
          redrive: obstacle ?? (isDry ? 'would be asked for' : 'asked for'),
          group: row.group,
          class: row.class,
          symbol: row.symbol,
          reason: row.reason,
          id: row.id,
        }))
        await io.out(rowsText(rows, formatOf(io, options.format), ['redrive', 'group', 'class', 'symbol', 'reason', 'id']))
        await tellOfAbsent(io, runtime, new Set(ready.map(({ letter }) => letter.group)))
      } finally {
        await runtime.close()
      }
    })
}

async function tellOfAbsent(io: Io, runtime: Runtime, groups: ReadonlySet<string>): Promise<void> {
  if (groups.size === 0) return
  const present = new Set((await runtime.log.groups()).filter(({ members }) => members.length > 0).map(({ group }) => group))
  for (const group of groups) {
    if (!present.has(group)) io.err(`group ${group} has no member now: it takes these up when it runs\n`)
  }
}
