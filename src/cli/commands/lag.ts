import { type Command, Option } from 'commander'
import { delay } from '../../core/clock.js'
import { CheckFailedError } from '../../core/errors.js'
import { lagByExchange, type PartitionLag } from '../../log/index.js'
import type { Runtime } from '../../services/runtime.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { type LogOptions, openToRead, withLogOptions } from '../log-options.js'
import { type Format, formatOf, formatOption, rowsText } from '../output.js'
import { namedGroups, suggestMembers } from './groups.js'
import { wholeOf } from './read.js'

interface LagOptions extends LogOptions {
  readonly group?: string
  readonly by?: 'partition' | 'exchange'
  readonly watch?: boolean
  readonly max?: string
  readonly maxMs?: string
  readonly format?: string
}

const WATCH_MS = 2_000
const CLEAR = '\x1b[H\x1b[2J'

export function lagCommand(io: Io): Command {
  return withLogOptions(
    commandOf('lag', 'print how far consumer groups are behind, in messages and in milliseconds of receive time', [
      'lag --data ./data',
      'lag --kafka localhost:9092 --group storage --watch',
      'lag --group storage --max 5000 --max-ms 2000 --format json',
    ]),
  )
    .option('--group <name>', 'only this group')
    .addOption(
      new Option('--by <what>', 'rows per partition or per exchange (a table shows both)').choices(['partition', 'exchange']),
    )
    .option('--watch', 'print it anew every two seconds, until SIGINT')
    .option('--max <n>', 'answer 1 when a partition has more messages waiting')
    .option('--max-ms <n>', 'answer 1 when a partition is further behind')
    .addOption(formatOption())
    .action(async (options: LagOptions) => {
      const limits = {
        messages: options.max === undefined ? Number.POSITIVE_INFINITY : wholeOf(options.max, '--max'),
        ms: options.maxMs === undefined ? Number.POSITIVE_INFINITY : wholeOf(options.maxMs, '--max-ms'),
      }
      const format = formatOf(io, options.format)
      const runtime = await openToRead(io, options)
      try {
        for (;;) {
          const lags = await lagsOf(io, runtime, options)
          const clear = options.watch === true && format === 'table' && io.isOutTty ? CLEAR : ''
          await io.out(clear + lagText(lags, format, options.by))
          check(lags, limits)
          if (options.watch !== true) return
          await delay(io.clock, WATCH_MS, io.signal).catch(() => {})
          if (io.signal.aborted) return
        }
      } finally {
        await runtime.close()
      }
    })
}

async function lagsOf(io: Io, runtime: Runtime, options: LagOptions): Promise<PartitionLag[]> {
  const groups = namedGroups(await runtime.log.groups(), options.group)
  const lags: PartitionLag[] = []
  for (const { group } of groups) lags.push(...(await runtime.log.lag(group)))
  if (options.watch !== true) suggestMembers(io, groups)
  return lags
}

function lagText(lags: readonly PartitionLag[], format: Format, by: LagOptions['by']): string {
  const partitions = lags.map(({ group, topic, partition, exchange, owner, committed, end, lagMessages, lagMs }) => ({
    group,
    topic,
    partition,
    exchange: exchange ?? null,
    owner: owner ?? null,
    committed: committed ?? null,
    end,
    lag_messages: lagMessages,
    lag_ms: lagMs,
  }))
  const exchanges = lagByExchange(lags).map(({ group, exchange, partitions: count, lagMessages, lagMs }) => ({
    group,
    exchange,
    partitions: count,
    lag_messages: lagMessages,
    lag_ms: lagMs,
  }))
  const head = ['group', 'topic', 'partition', 'exchange', 'owner', 'committed', 'end', 'lag_messages', 'lag_ms']
  const sums = ['group', 'exchange', 'partitions', 'lag_messages', 'lag_ms']
  if (by === 'exchange') return rowsText(exchanges, format, sums)
  const rows = rowsText(partitions, format, head)
  return format === 'table' && by === undefined ? `${rows}\n${rowsText(exchanges, format, sums)}` : rows
}

function check(lags: readonly PartitionLag[], limits: { readonly messages: number; readonly ms: number }): void {
  const behind = lags.filter(({ lagMessages, lagMs }) => lagMessages > limits.messages || lagMs > limits.ms)
  const [first] = behind
  if (first === undefined) return
  const { group, topic, partition, lagMessages, lagMs } = first
  throw new CheckFailedError(
    `${behind.length} partitions are too far behind, first ${topic}/${partition} of group ${group}: ` +
      `${lagMessages} messages, ${lagMs} ms`,
  )
}
