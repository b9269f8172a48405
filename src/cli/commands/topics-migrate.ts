/** `topics migrate` and `topics grow`: moves that keep each key's order, looked at first, checked afterwards, with a way back. */
import type { Command } from 'commander'
import { type Clock, delay } from '../../core/clock.js'
import { CheckFailedError, UsageError } from '../../core/errors.js'
import { createMissing } from '../../log/kafka/topics-apply.js'
import { type KafkaTopicDeclaration, viewTopicOf } from '../../log/kafka/topics-declared.js'
import { growTopic } from '../../log/kafka/topics-grow.js'
import { type MoveResult, TopicMover } from '../../log/kafka/topics-mover.js'
import { backRoute, forwardRoute, targetsOf } from '../../log/kafka/topics-routes.js'
import { isEqual } from '../../log/kafka/topics-sums.js'
import type { FlatTopic, TopicNameBuilder } from '../../model/topics.js'
import { loadTopics } from '../../model/topics-file.js'
import { parseDurationMs } from '../../model/units.js'
import type { KafkaAdmin, KafkaProperties } from '../../native/kafka.js'
import { type Settings, topicsFileOf } from '../../services/settings.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { formatOf, formatOption, type Row, rowsText } from '../output.js'
import { listOf } from '../places.js'
import { confirmed, kafkaOption, settingsOfCluster, withAdmin, yesOption } from '../topics-cluster.js'
import { wholeOf } from './read.js'

interface MigrateOptions {
  readonly kafka?: string
  readonly config?: string
  readonly topics?: string
  readonly dryRun?: boolean
  readonly follow?: boolean
  readonly back?: boolean
  readonly yes?: boolean
  readonly format?: string
}

const FOLLOW_MS = 1_000

export function migrateCommand(io: Io): Command {
  return commandOf(
    'migrate',
    'copy flat topics to the topics their messages belong to, then compare both sides; nothing is deleted',
    [
      'topics migrate --kafka localhost:9092 --dry-run',
      'topics migrate --kafka localhost:9092 --topics market.trades.raw --follow --yes',
      'topics migrate --kafka localhost:9092 --topics market.trades.raw --back --yes',
    ],
  )
    .addOption(kafkaOption())
    .option('--config <file>', 'the configuration file')
    .option('--topics <list>', 'only these flat topics (default: all that the cluster has)')
    .option('--dry-run', 'read, count and print; nothing is written')
    .option('--follow', 'go on copying what is still written to the old side, until SIGINT or SIGTERM')
    .option('--back', 'the other way: what was written to the new topics alone goes to the flat ones')
    .addOption(yesOption())
    .addOption(formatOption())
    .action(async (options: MigrateOptions) => {
      const settings = settingsOfCluster(io, options)
      const names = loadTopics(topicsFileOf(settings))
      const wanted = flatTopicsOf(names, options.topics)
      await withAdmin(io, settings, async (admin, properties) => {
        const held = new Set((await admin.topics(wanted.map((f) => f.name))).map((t) => t.name))
        const flats = wanted.filter((f) => held.has(f.name) || options.back === true)
        if (flats.length === 0) {
          throw new UsageError(`the cluster at ${settings.kafka.brokers} has no flat topic`, {
            field: '--topics',
            validValues: names.flatTopics.map((f) => f.name),
            fix: 'nothing is to be moved; or the cluster is another one',
          })
        }
        const movers = flats.map((flat) => ({
          flat,
          mover: moverOf({ admin, properties, names, kafka: settings.kafka, clock: io.clock }, flat, options.back === true),
        }))
        await migrate(io, movers, options)
      })
    })
}

function flatTopicsOf(names: TopicNameBuilder, list: string | undefined): FlatTopic[] {
  const declared = names.flatTopics
  if (list === undefined) return declared
  return listOf(list).map((name) => {
    const flat = declared.find((f) => f.name === name)
    if (flat !== undefined) return flat
    throw new UsageError(`${name} is not a flat topic`, {
      field: '--topics',
      validValues: declared.map((f) => f.name),
      fix: `declare it under flat_topics of ${names.source}`,
    })
  })
}

interface MoverContext {
  readonly admin: KafkaAdmin
  readonly properties: KafkaProperties
  readonly names: TopicNameBuilder
  readonly kafka: Settings['kafka']
  readonly clock: Clock
}

function moverOf({ admin, properties, names, kafka, clock }: MoverContext, flat: FlatTopic, isBack: boolean): TopicMover {
  const targets = targetsOf(flat, names)
  const news = targets.map((t) => t.name)
  const deadLetters = `${flat.name}.dlq`
  const { replication, min_isr: minIsr } = kafka
  const plain = { kind: 'internal', replication, minIsr, config: {}, field: 'flat_topics' } as const
  const declared: KafkaTopicDeclaration[] = [
    ...targets.map(viewTopicOf),
    { ...plain, name: flat.name, partitions: flat.partitions },
    { ...plain, name: deadLetters, partitions: 1 },
  ]
  const ensure = (topics: readonly string[]): Promise<void> =>
    createMissing(
      admin,
      declared.filter((d) => topics.includes(d.name)),
      clock,
    )
  const shared = { admin, properties, deadLetters, ensure }
  return isBack
    ? new TopicMover({ ...shared, from: news, to: [flat.name], route: backRoute(flat, names) })
    : new TopicMover({ ...shared, from: [flat.name], to: news, route: forwardRoute(flat, names) })
}

type Movers = readonly { readonly flat: FlatTopic; readonly mover: TopicMover }[]

async function migrate(io: Io, movers: Movers, options: MigrateOptions): Promise<void> {
  const format = formatOf(io, options.format)
  const planned: Row[] = []
  for (const { flat, mover } of movers) planned.push(...movedRows(flat, await mover.survey(io.signal)))
  if (options.dryRun === true) return io.out(rowsText(planned, format, ['flat_topic', 'to', 'messages']))
  io.err(rowsText(planned, 'table', ['flat_topic', 'to', 'messages']))
  const direction = options.back === true ? 'back to the flat topics' : 'from the flat topics'
  if (!(await confirmed(io, options.yes, `copy these ${direction}`))) return
  for (const { mover } of movers) await mover.copy(io.signal)
  if (options.follow === true) await follow(io, movers)
  // The signal that ended the following has done its work.
  await compare(io, movers, format, options.follow === true ? undefined : io.signal)
  io.err(
    options.back === true
      ? 'both sides agree: start the old consumers; the new topics stay until you delete them\n'
      : 'both sides agree: stop the old producers, run this once more, start the new ones; --back is the way back\n',
  )
}

/** Until the signal: it ends the following, not the last pass and the comparison after it. */
async function follow(io: Io, movers: Movers): Promise<void> {
  while (!io.signal.aborted) {
    await copyMore(io, movers)
    await delay(io.clock, FOLLOW_MS, io.signal).catch(() => undefined)
  }
  await copyMore(io, movers)
}

async function copyMore(io: Io, movers: Movers): Promise<void> {
  for (const { flat, mover } of movers) {
    const { moved } = await mover.copy()
    const count = Object.values(moved).reduce((sum, n) => sum + n, 0)
    if (count > 0) io.err(`${flat.name}: ${count} more\n`)
  }
}

async function compare(
  io: Io,
  movers: Movers,
  format: ReturnType<typeof formatOf>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const rows: Row[] = []
  let wrong = 0
  for (const { flat, mover } of movers) {
    const { topics, repeated } = await mover.reconcile(signal)
    wrong += topics.filter((t) => !isEqual(t)).length + repeated
    for (const t of topics) {
      const { topic, keys, from, to, countDiffers, contentDiffers, orderDiffers } = t
      const state = isEqual(t) ? 'equal' : `keys differ: ${countDiffers} count, ${contentDiffers} content, ${orderDiffers} order`
      rows.push({ flat_topic: flat.name, topic, keys, from, to, repeated, state })
    }
  }
  await io.out(rowsText(rows, format, ['flat_topic', 'topic', 'keys', 'from', 'to', 'repeated', 'state']))
  if (wrong > 0)
    throw new CheckFailedError('the two sides of the move differ', {
      fix: 'a key that stood in several old partitions has no order to keep; for anything else keep the old topic and ask again',
    })
}

function movedRows(flat: FlatTopic, { moved, deadLetters }: MoveResult): Row[] {
  return [
    ...Object.entries(moved).map(([to, messages]) => ({ flat_topic: flat.name, to, messages })),
    ...Object.entries(deadLetters).map(([reason, messages]) => ({
      flat_topic: flat.name,
      to: `${flat.name}.dlq (${reason})`,
      messages,
    })),
  ]
}

export function growCommand(io: Io): Command {
  return commandOf('grow', 'add partitions to a topic that holds records: refused while it is written or not read to its end', [
    'topics grow market.crypto.trades.binance.batch --partitions 8 --kafka localhost:9092',
  ])
    .argument('<topic>', 'its name on the cluster: with .batch the engine’s, without it the open view')
    .requiredOption('--partitions <n>', 'how many it shall have')
    .addOption(kafkaOption())
    .option('--config <file>', 'the configuration file')
    .option('--quiet <duration>', 'how long nothing may be appended', '3s')
    .addOption(yesOption())
    .action(
      async (topic: string, options: { partitions: string; config?: string; kafka?: string; quiet: string; yes?: boolean }) => {
        const partitions = wholeOf(options.partitions, '--partitions')
        const quietMs = parseDurationMs(options.quiet)
        if (quietMs === undefined)
          throw new UsageError(`${options.quiet} is not a duration`, { field: '--quiet', validValues: ['500ms', '3s', '1m'] })
        if (!(await confirmed(io, options.yes, `grow ${topic} to ${partitions} partitions`))) return
        await withAdmin(io, settingsOfCluster(io, options), async (admin) => {
          const from = await growTopic(admin, { topic, partitions, quietMs, clock: io.clock, signal: io.signal })
          io.err(
            `${topic}: ${from} partitions became ${partitions}; write ${partitions} into the topics file, then start the producers\n`,
          )
        })
      },
    )
}
