import type { Command } from 'commander'
import { UsageError } from '../../core/errors.js'
import { loadExchanges } from '../../model/exchanges.js'
import { loadTopics } from '../../model/topics-file.js'
import { retentionText } from '../../model/units.js'
import { ownTopics } from '../../services/reading.js'
import { exchangesFileOf, loadSettings, topicsFileOf } from '../../services/settings.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { type LogOptions, logPlace, openToRead, withLogOptions } from '../log-options.js'
import { formatOf, formatOption, rowsText } from '../output.js'
import { growCommand, migrateCommand } from './topics-migrate.js'
import { applyCommand, diffCommand, planCommand, verifyClusterCommand } from './topics-plan.js'

export function topicsCommand(io: Io): Command {
  return (
    withLogOptions(
      commandOf('topics', 'list topics: those declared, or with --data or --kafka those a log holds', [
        'topics',
        'topics "market.crypto.*.binance"',
        'topics --data ./data --format json',
        'topics --kafka localhost:9092',
      ]),
    )
      // Options behind a subcommand are the subcommand's.
      .enablePositionalOptions()
      .argument('[name]', 'a full name, an alias, or a name with * for a part')
      .addOption(formatOption())
      .addCommand(planCommand(io))
      .addCommand(applyCommand(io))
      .addCommand(verifyClusterCommand(io))
      .addCommand(diffCommand(io))
      .addCommand(migrateCommand(io))
      .addCommand(growCommand(io))
      .action(async (name: string | undefined, options: LogOptions & { format?: string }) => {
        const format = formatOf(io, options.format)
        if (options.data !== undefined || options.kafka !== undefined) {
          await io.out(
            rowsText(await heldRows(io, options, name), format, [
              'topic',
              'partitions',
              'begin',
              'end',
              'bytes',
              'retention',
              'compaction',
            ]),
          )
          return
        }
        const settings = loadSettings({ file: options.config, environment: io.environment })
        const topics = loadTopics(topicsFileOf(settings))
        loadExchanges(exchangesFileOf(settings))
        const listed = name === undefined ? topics.list() : topics.resolve(name)
        const aliasOf = (dataType: string | undefined): string =>
          [...topics.aliases].flatMap(([alias, type]) => (type === dataType ? [alias] : [])).join(' ')
        const rows = listed.map((t) => ({
          topic: t.name,
          partitions: t.partitions,
          view_partitions: t.view ? t.viewPartitions : null,
          retention: retentionText(t.retentionMs),
          compaction: t.compact,
          aliases: aliasOf(t.dataType),
        }))
        await io.out(rowsText(rows, format))
      })
  )
}

async function heldRows(io: Io, options: LogOptions, name: string | undefined) {
  const runtime = await openToRead(io, options)
  try {
    const held = await ownTopics(runtime)
    const wanted = name === undefined ? undefined : new Set(runtime.topics.resolve(name).map((t) => t.name))
    const shown = held.filter((t) => wanted === undefined || wanted.has(t.name))
    if (shown.length === 0 && name !== undefined) {
      throw new UsageError(`${logPlace(runtime)} holds no topic ${name}`, { validValues: held.map((t) => t.name) })
    }
    const rows = []
    for (const topic of shown.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      let [begin, end, bytes] = [0, 0, 0]
      for (let partition = 0; partition < topic.partitions; partition++) {
        const info = await runtime.log.describe(topic.name, partition)
        begin += info?.beginOffset ?? 0
        end += info?.endOffset ?? 0
        bytes += info?.bytes ?? 0
      }
      rows.push({
        topic: topic.name,
        partitions: topic.partitions,
        begin,
        end,
        // Kafka does not tell.
        bytes: runtime.kafka === undefined ? bytes : null,
        retention: retentionText(topic.retentionMs),
        compaction: topic.compact,
      })
    }
    return rows
  } finally {
    await runtime.close()
  }
}
