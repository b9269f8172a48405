import { type Command, Option } from 'commander'
import { LogError, UsageError } from '../../core/errors.js'
import { logUsage, trimLog } from '../../native/journal-admin.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { openToRead, openToWrite } from '../log-options.js'
import { bytesText, formatOf, formatOption, rowsText, timeText } from '../output.js'
import { placeOf } from '../places.js'
import { wholeOf } from './read.js'

export function logCommand(io: Io): Command {
  return commandOf('log', 'measure and trim the log of a data directory', [
    'log du --data ./data',
    'log trim market.crypto.trades.binance --before 7d',
  ])
    .addCommand(duCommand(io))
    .addCommand(trimCommand(io))
}

/** Segments are the embedded log's; whoever asks a cluster for them is told who looks after its own. */
const noCluster = (): Option =>
  new Option('--kafka <host:port>', 'not possible').hideHelp().argParser(() => {
    throw new UsageError('a Kafka cluster keeps its own segments: `log` works on a data directory', {
      field: '--kafka',
      fix: 'give --data; a cluster deletes by the retention that `tickwire topics apply` sets',
    })
  })

function duCommand(io: Io): Command {
  return commandOf('du', 'bytes of each topic and partition', ['log du', 'log du --partitions --format csv'])
    .option('--data <dir>', 'the data directory', './data')
    .addOption(noCluster())
    .option('--partitions', 'one row per partition')
    .addOption(formatOption())
    .action(async (options: { data: string; partitions?: boolean; format?: string }) => {
      const format = formatOf(io, options.format)
      const runtime = await openToRead(io, { data: options.data })
      await runtime.close()
      const usage = await logUsage(runtime.directory)
      const keys = new Set(usage.map((u) => (options.partitions === true ? `${u.topic}/${u.partition}` : u.topic)))
      const rows = [...keys].toSorted().map((key) => {
        const parts = usage.filter((u) => (options.partitions === true ? `${u.topic}/${u.partition}` : u.topic) === key)
        const sum = (value: (u: (typeof parts)[number]) => number): number => parts.reduce((total, u) => total + value(u), 0)
        const newest = parts.reduce((max, u) => (u.tsRecvNewest > max ? u.tsRecvNewest : max), 0n)
        const size = (bytes: number) => (format === 'table' ? bytesText(bytes) : bytes)
        return {
          topic: parts[0]?.topic ?? key,
          ...(options.partitions === true ? { partition: parts[0]?.partition ?? 0 } : { partitions: parts.length }),
          records: sum((u) => Number(u.endOffset - u.beginOffset)),
          bytes: size(sum((u) => u.bytes)),
          disk: size(sum((u) => u.diskBytes)),
          segments: sum((u) => u.segments),
          newest: newest === 0n ? '' : timeText(newest),
        }
      })
      await io.out(
        rowsText(rows, format, [
          'topic',
          options.partitions === true ? 'partition' : 'partitions',
          'records',
          'bytes',
          'disk',
          'segments',
          'newest',
        ]),
      )
    })
}

function trimCommand(io: Io): Command {
  return commandOf('trim', 'delete whole closed segments that lie before a place; the newest segment always stays', [
    'log trim market.crypto.trades.binance --before 7d',
    'log trim market.crypto.trades.binance --before offset:100000 --partition 2',
  ])
    .argument('<topic>', 'a full name')
    .requiredOption('--before <place>', 'an ISO time, a duration ago, or offset:N')
    .option('--data <dir>', 'the data directory', './data')
    .addOption(noCluster())
    .option('--partition <n>', 'only this partition')
    .addOption(formatOption())
    .action(async (topic: string, options: { before: string; data: string; partition?: string; format?: string }) => {
      const place = placeOf(options.before, '--before', io.clock.wallNs())
      const before =
        typeof place === 'object' && 'offset' in place
          ? { beforeOffset: place.offset }
          : typeof place === 'object' && 'time' in place
            ? { beforeTsRecv: place.time }
            : undefined
      if (before === undefined) throw new UsageError('--before needs a time, a duration or an offset', { field: '--before' })
      const runtime = await openToWrite(io, { data: options.data })
      const found = (await runtime.log.topics()).find((t) => t.name === topic)
      await runtime.close()
      if (found === undefined) throw new UsageError(`${options.data} holds no topic ${topic}`, { field: 'topic' })
      const only = options.partition === undefined ? undefined : wholeOf(options.partition, '--partition')
      if (only !== undefined && only >= found.partitions)
        throw new UsageError(`${topic} has ${found.partitions} partitions`, { field: '--partition' })
      const rows = []
      for (let partition = 0; partition < found.partitions; partition++) {
        if (only !== undefined && partition !== only) continue
        try {
          const { segments, bytes } = await trimLog(runtime.directory, { topic, partition, ...before })
          rows.push({ topic, partition, segments, bytes })
        } catch (error) {
          throw new LogError(`${topic} partition ${partition} could not be trimmed: ${(error as Error).message}`, {
            cause: error,
          })
        }
      }
      await io.out(rowsText(rows, formatOf(io, options.format)))
    })
}
