/** What the cluster commands of `topics` and `schemas` share: their options, what is declared for them, the connections, the question. */
import { type Command, Option } from 'commander'
import { UsageError } from '../core/errors.js'
import { kafkaProperties } from '../log/kafka/connection.js'
import { registryAddress } from '../log/kafka/schemas-address.js'
import { SchemaRegistry } from '../log/kafka/schemas-client.js'
import { declaredSchemas, type SchemaChange, type SchemaDeclaration } from '../log/kafka/schemas-plan.js'
import { type KafkaTopicDeclaration, kafkaTopicsOf } from '../log/kafka/topics-declared.js'
import type { TopicChange } from '../log/kafka/topics-plan.js'
import type { TopicConfig, TopicNameBuilder } from '../model/topics.js'
import { loadTopics } from '../model/topics-file.js'
import { type KafkaAdmin, type KafkaProperties, openKafkaAdmin } from '../native/kafka.js'
import { barsName } from '../services/bars.js'
import { loadSettings, type Settings, topicsFileOf } from '../services/settings.js'
import type { Io } from './io.js'
import { formatOption, type Row } from './output.js'
import { listOf } from './places.js'

export interface SelectionOptions {
  readonly config?: string
  readonly exchanges?: string
  readonly types?: string
  readonly all?: boolean
  readonly registry?: string
  readonly format?: string
}
export interface ClusterOptions extends SelectionOptions {
  readonly kafka?: string
}

export const withSelection = (command: Command): Command =>
  command
    .option('--config <file>', 'the configuration file: its feeds say which exchanges, its topics_file what is declared')
    .option('--exchanges <list>', 'topics of these exchanges (default: those of the feeds)')
    .option('--types <list>', 'topics of these data types (default: all)')
    .option('--all', 'topics of every declared exchange')
    .addOption(formatOption())

export const kafkaOption = (): Option => new Option('--kafka <host:port>', 'a broker of the cluster (default: kafka.brokers)')
export const registryOption = (): Option => new Option('--registry <url>', 'the schema registry (default: kafka.registry.url)')
export const yesOption = (): Option => new Option('--yes', 'do not ask')

export interface Declared {
  readonly settings: Settings
  readonly names: TopicNameBuilder
  readonly topics: readonly TopicConfig[]
  readonly kafka: readonly KafkaTopicDeclaration[]
  readonly schemas: readonly SchemaDeclaration[]
  readonly loadedMs: number
}

/** Everything that can be wrong with files and options is found here, before a cluster is asked. */
export function declaredOf(io: Io, options: ClusterOptions): Declared {
  const begin = io.clock.monotonicMs()
  const settings = settingsOfCluster(io, options)
  const names = loadTopics(topicsFileOf(settings))
  const loadedMs = io.clock.monotonicMs() - begin
  const exchanges =
    options.all === true
      ? undefined
      : options.exchanges === undefined
        ? [...new Set(settings.ingestion.feeds.map((f) => f.exchange))]
        : listOf(options.exchanges)
  if (exchanges?.length === 0) {
    throw new UsageError('no exchange is named: there are no feeds, and neither --exchanges nor --all is given', {
      field: '--exchanges',
      validValues: [...new Set(names.exchanges.map((e) => e.exchange))],
      fix: 'name exchanges, give a --config with feeds, or --all',
    })
  }
  const topics = names.subscription({
    ...(exchanges === undefined ? {} : { exchanges }),
    ...(options.types === undefined ? {} : { dataTypes: listOf(options.types) }),
  })
  const states = [...new Set(topics.flatMap((topic) => topic.exchange ?? []))].map((name) => barsName(name))
  const internal = [names.internalTopic('status'), ...states.map((name) => names.internalTopic('state', name))]
  return {
    settings,
    names,
    topics,
    kafka: [...topics, ...internal].flatMap(kafkaTopicsOf),
    schemas: declaredSchemas(topics, names.source),
    loadedMs,
  }
}

/** Where the cluster and the registry are: options before file and environment. */
export function settingsOfCluster(io: Io, options: Pick<ClusterOptions, 'config' | 'kafka' | 'registry'>): Settings {
  return loadSettings({
    file: options.config,
    environment: io.environment,
    given: { kafka: { brokers: options.kafka, registry: { url: options.registry } } },
  })
}

export async function withAdmin<T>(
  io: Io,
  settings: Settings,
  work: (admin: KafkaAdmin, properties: KafkaProperties) => Promise<T>,
): Promise<T> {
  const properties = kafkaProperties(settings.kafka, io.environment)
  const admin = openKafkaAdmin(properties)
  try {
    return await work(admin, properties)
  } finally {
    admin.close()
  }
}

/** Undefined: none is named, so schemas are left out. */
export function registryOf(io: Io, { kafka }: Settings): SchemaRegistry | undefined {
  const { url, ca_file } = kafka.registry
  return url === undefined ? undefined : new SchemaRegistry(registryAddress({ url, ca_file }, io.environment))
}

/** A terminal is asked; everything else must have said --yes. */
export async function confirmed(io: Io, yes: boolean | undefined, what: string): Promise<boolean> {
  if (yes === true) return true
  if (io.ask === undefined)
    throw new UsageError(`${what} needs --yes where nobody can be asked`, { field: '--yes', fix: 'give --yes' })
  return /^y(es)?$/i.test((await io.ask(`${what}? [y/N] `)).trim())
}

export const changeColumns = ['action', 'name', 'setting', 'from', 'to'] as const

export function topicRow(change: TopicChange): Row {
  const { kind: action, topic: name } = change
  switch (change.kind) {
    case 'create':
      return { action, name, setting: 'partitions x copies', from: null, to: `${change.partitions} x ${change.replication}` }
    case 'config':
      return { action, name, setting: change.entry, from: change.from ?? null, to: change.to }
    case 'replication':
      return { action, name, setting: 'copies', from: change.from, to: change.to }
    default:
      return { action, name, setting: 'partitions', from: change.from, to: change.to }
  }
}

export function schemaRow(change: SchemaChange): Row {
  const { kind: action, subject: name } = change
  if (change.kind === 'level') return { action, name, setting: 'compatibility', from: change.from, to: change.to }
  const from = change.kind === 'register' && change.after !== undefined ? `version ${change.after}` : null
  return { action, name, setting: 'schema', from, to: change.schemaName }
}

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`
