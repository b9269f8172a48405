/** `topics plan | apply | verify | diff`: the cluster as declared, first to read, then to make, then to check. */
import type { Command } from 'commander'
import { CheckFailedError } from '../../core/errors.js'
import type { SchemaRegistry } from '../../log/kafka/schemas-client.js'
import { applySchemas, planSchemas, refuseIncompatible, type SchemaChange } from '../../log/kafka/schemas-plan.js'
import { applyTopics } from '../../log/kafka/topics-apply.js'
import { planTopics, readCluster, refuseUnsafe, type TopicChange } from '../../log/kafka/topics-plan.js'
import type { KafkaAdmin } from '../../native/kafka.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { formatOf, type Row, rowsText } from '../output.js'
import {
  type ClusterOptions,
  changeColumns,
  confirmed,
  type Declared,
  declaredOf,
  kafkaOption,
  registryOf,
  registryOption,
  schemaRow,
  seconds,
  topicRow,
  withAdmin,
  withSelection,
  yesOption,
} from '../topics-cluster.js'

interface Plan {
  readonly topics: readonly TopicChange[]
  readonly schemas: readonly SchemaChange[]
  readonly brokers: number
}

async function planOf(admin: KafkaAdmin, declared: Declared, registry: SchemaRegistry | undefined): Promise<Plan> {
  const cluster = await readCluster(admin, declared.kafka)
  return {
    topics: planTopics(declared.kafka, cluster),
    schemas: registry === undefined ? [] : await planSchemas(registry, declared.schemas),
    brokers: cluster.brokers,
  }
}

async function planned(io: Io, options: ClusterOptions) {
  const declared = declaredOf(io, options)
  const registry = registryOf(io, declared.settings)
  const plan = await withAdmin(io, declared.settings, (admin) => planOf(admin, declared, registry))
  return { declared, registry, plan }
}

const rowsOf = (plan: Plan): Row[] => [...plan.topics.map(topicRow), ...plan.schemas.map(schemaRow)]

const withCluster = (command: Command): Command => withSelection(command).addOption(kafkaOption()).addOption(registryOption())

function tellCopies(io: Io, declared: Declared, { brokers, topics }: Plan): void {
  const most = Math.max(...declared.kafka.map((d) => d.replication))
  if (most > brokers && topics.some((c) => c.kind === 'create'))
    io.err(
      `warning: ${most} copies are declared and the cluster has ${brokers} broker${brokers === 1 ? '' : 's'}: a topic gets ${brokers}\n`,
    )
}

function tellSummary(io: Io, plan: Plan, registry: SchemaRegistry | undefined): void {
  const counts = new Map<string, number>()
  for (const { kind } of [...plan.topics, ...plan.schemas]) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  io.err(counts.size === 0 ? 'nothing to change\n' : `${[...counts].map(([kind, n]) => `${n} ${kind}`).join(', ')}\n`)
  if (plan.topics.some((c) => c.kind === 'replication'))
    io.err('note: copies of a topic that exists are moved by a reassignment of the cluster, not from here\n')
  if (plan.topics.some((c) => c.kind === 'grow' && c.isFilled))
    io.err('note: topics that hold records grow by `tickwire topics grow`, because their keys move\n')
  if (registry === undefined) io.err('schemas were not compared: no --registry\n')
}

export function planCommand(io: Io): Command {
  return withCluster(
    commandOf('plan', 'print what would change on a Kafka cluster; nothing is changed', [
      'topics plan --kafka localhost:9092 --exchanges binance,asx',
      'topics plan --kafka localhost:9092 --config tickwire.yaml --registry http://localhost:8081 --format json',
    ]),
  ).action(async (options: ClusterOptions) => {
    const { declared, registry, plan } = await planned(io, options)
    await io.out(rowsText(rowsOf(plan), formatOf(io, options.format), changeColumns))
    tellCopies(io, declared, plan)
    tellSummary(io, plan, registry)
    refuseUnsafe(
      plan.topics.filter((c) => c.kind === 'shrink'),
      declared.names.source,
    )
  })
}

export function applyCommand(io: Io): Command {
  return withCluster(
    commandOf('apply', 'make what plan prints: create, grow empty topics, set, register', [
      'topics apply --kafka localhost:9092 --exchanges binance',
      'topics apply --kafka localhost:9092 --all --registry http://localhost:8081 --yes',
    ]),
  )
    .addOption(yesOption())
    .action(async (options: ClusterOptions & { yes?: boolean }) => {
      const declared = declaredOf(io, options)
      const registry = registryOf(io, declared.settings)
      await withAdmin(io, declared.settings, async (admin) => {
        const plan = await planOf(admin, declared, registry)
        refuseUnsafe(plan.topics, declared.names.source)
        refuseIncompatible(plan.schemas)
        await io.out(rowsText(rowsOf(plan), formatOf(io, options.format), changeColumns))
        tellCopies(io, declared, plan)
        tellSummary(io, plan, registry)
        io.err(`config loaded in ${declared.loadedMs.toFixed(0)} ms\n`)
        if (
          rowsOf(plan).length === 0 ||
          !(await confirmed(io, options.yes, `change the cluster at ${declared.settings.kafka.brokers}`))
        )
          return
        await apply(io, admin, declared, registry, plan)
      })
    })
}

async function apply(
  io: Io,
  admin: KafkaAdmin,
  declared: Declared,
  registry: SchemaRegistry | undefined,
  plan: Plan,
): Promise<void> {
  let begin = io.clock.monotonicMs()
  await applyTopics(admin, plan.topics, io.clock)
  const created = plan.topics.filter((c) => c.kind === 'create').length
  io.err(`${created} topics created in ${seconds(io.clock.monotonicMs() - begin)}\n`)
  if (registry === undefined) return
  begin = io.clock.monotonicMs()
  const registered = await applySchemas(registry, declared.schemas)
  io.err(`${registered} schemas registered in ${seconds(io.clock.monotonicMs() - begin)}\n`)
}

/** Both say the same; verify for people, with every topic, diff for programs, with the differences alone. */
export function verifyClusterCommand(io: Io): Command {
  return withCluster(
    commandOf('verify', 'say of each declared topic whether the cluster has it so; exit 1 when something differs', [
      'topics verify --kafka localhost:9092 --exchanges binance',
    ]),
  ).action(async (options: ClusterOptions) => {
    const { declared, registry, plan } = await planned(io, options)
    const said = rowsOf(plan)
    const names = [
      ...declared.kafka.map((d) => d.name),
      ...(registry === undefined ? [] : declared.schemas.map((d) => d.subject)),
    ]
    const rows = names.map((name) => {
      const of = said.filter((row) => row.name === name)
      return { name, state: of.length === 0 ? 'ok' : of.map((row) => `${row.action} ${row.setting}`).join(', ') }
    })
    await io.out(rowsText(rows, formatOf(io, options.format), ['name', 'state']))
    refuseDrift(said, declared.settings.kafka.brokers)
  })
}

export function diffCommand(io: Io): Command {
  return withCluster(
    commandOf('diff', 'print the differences between what is declared and a cluster, for programs; exit 1 when there are any', [
      'topics diff --kafka localhost:9092 --all --format json',
    ]),
  ).action(async (options: ClusterOptions) => {
    const { declared, plan } = await planned(io, options)
    await io.out(rowsText(rowsOf(plan), formatOf(io, options.format), changeColumns))
    refuseDrift(rowsOf(plan), declared.settings.kafka.brokers)
  })
}

function refuseDrift(rows: readonly Row[], address: string | undefined): void {
  if (rows.length === 0) return
  throw new CheckFailedError(
    `${rows.length} ${rows.length === 1 ? 'difference' : 'differences'} between the declaration and ${address}`,
    {
      fix: '`tickwire topics plan` shows them, `tickwire topics apply` settles those that can be',
    },
  )
}
