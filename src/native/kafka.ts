/**
 * The Kafka addon as it gives itself: loaded only when Kafka is asked for, because its librdkafka is that of the optional package
 * node-rdkafka. Calls that wait for a broker run on threads of their own and give promises, which reject with this project's errors.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { KafkaUnavailableError } from '../core/errors.js'
import { packageRoot } from './addon.js'
import { kafkaErrorOf } from './kafka-errors.js'
import type { NativeEngine } from './log.js'

/** librdkafka's own names and values; secrets stand in here, so it is never logged. */
export type KafkaProperties = Readonly<Record<string, string>>

export interface KafkaConfigEntry {
  readonly name: string
  /** Undefined: the broker keeps it to itself. */
  readonly value: string | undefined
  /** The broker's or Kafka's own, not set on the topic. */
  readonly isDefault: boolean
}

export interface KafkaPartition {
  readonly partition: number
  /** -1: none. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface KafkaTopic {
  readonly name: string
  /** Kafka's topic id, base64 as Kafka prints it. */
  readonly id: string
  readonly isInternal: boolean
  readonly partitions: readonly KafkaPartition[]
}

export interface KafkaNewTopic {
  readonly name: string
  readonly partitions: number
  /** -1: the broker's default. */
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

/** What became of one item of a call: `error` is undefined when it was done. `code` is Kafka's name, TOPIC_ALREADY_EXISTS. */
export interface KafkaOutcome {
  readonly name: string
  readonly code?: string
  readonly error?: string
}

export interface KafkaGroupMember {
  readonly id: string
  readonly clientId: string
  readonly host: string
  readonly instanceId: string | undefined
  readonly assignment: readonly { readonly topic: string; readonly partition: number }[]
}

export interface KafkaGroup {
  readonly group: string
  readonly state: string
  /** 'classic' or 'consumer' (KIP-848). */
  readonly type: string
  readonly assignor: string
  readonly coordinator: number
  readonly members: readonly KafkaGroupMember[]
}

export interface KafkaBroker {
  readonly id: number
  readonly host: string
  readonly port: number
}

export interface KafkaCluster {
  readonly id: string
  readonly controller: number
  readonly brokers: readonly KafkaBroker[]
}

export interface KafkaTopicPartition {
  readonly topic: string
  readonly partition: number
}

/**
 * The control plane. Each call waits at most the client's time-out (10 s unless given) and rejects with the broker's reason as a
 * KafkaError or KafkaAuthError; close() rejects what still waits.
 */
export interface KafkaAdmin {
  cluster(): Promise<KafkaCluster>
  /** All topics, or those named; a name that is not there is left out, here and below. */
  topics(names?: readonly string[]): Promise<KafkaTopic[]>
  topicConfigs(names: readonly string[]): Promise<{ readonly name: string; readonly entries: readonly KafkaConfigEntry[] }[]>
  /** Of one broker: to see what its groups and topics default to. */
  brokerConfig(id: number): Promise<readonly KafkaConfigEntry[]>
  createTopics(topics: readonly KafkaNewTopic[], options?: { readonly validateOnly?: boolean }): Promise<KafkaOutcome[]>
  /** To `total`; never down. */
  createPartitions(
    topics: readonly { readonly name: string; readonly total: number }[],
    options?: { readonly validateOnly?: boolean },
  ): Promise<KafkaOutcome[]>
  /** Sets these entries and leaves the others. */
  alterTopicConfigs(
    topics: readonly { readonly name: string; readonly config: Readonly<Record<string, string>> }[],
  ): Promise<KafkaOutcome[]>
  deleteTopics(names: readonly string[]): Promise<KafkaOutcome[]>
  /** First and next offset of each. */
  offsets(
    partitions: readonly KafkaTopicPartition[],
  ): Promise<readonly { readonly topic: string; readonly partition: number; readonly begin: number; readonly end: number }[]>
  groups(): Promise<readonly { readonly group: string; readonly state: string; readonly type: string }[]>
  describeGroups(groups: readonly string[]): Promise<KafkaGroup[]>
  /** What a group has committed; partitions without a commit are left out. */
  committed(group: string): Promise<readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]>
  /** Only while the group has no members. */
  alterCommitted(
    group: string,
    offsets: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[],
  ): Promise<KafkaOutcome[]>
  deleteGroups(groups: readonly string[]): Promise<KafkaOutcome[]>
  close(): void
}

export interface KafkaLogOptions {
  readonly groupProtocol?: 'auto' | 'consumer' | 'classic'
  readonly instanceId?: string
  readonly replication?: number
  readonly minIsr?: number
  readonly timeoutMs?: number
  /** What librdkafka and the groups tell; levels are syslog's. */
  readonly onLog?: (level: number, text: string) => void
}

interface KafkaAddon {
  /** librdkafka's version and what it was built with: 'snappy', 'ssl', 'sasl_scram'… */
  readonly version: string
  readonly features: readonly string[]
  NativeKafkaAdmin: new (properties: KafkaProperties, timeoutMs: number) => KafkaAdmin
  openKafkaLog(properties: KafkaProperties, options: KafkaLogOptions): Promise<NativeEngine>
}

let loaded: KafkaAddon | undefined

/** Throws KafkaUnavailableError with what to do when the addon or its librdkafka is not there. */
export function kafkaAddon(): KafkaAddon {
  if (loaded !== undefined) return loaded
  const file = join(packageRoot, 'build', 'kafka', 'tickwire_kafka.node')
  try {
    loaded = createRequire(import.meta.url)(file) as KafkaAddon
  } catch (error) {
    throw new KafkaUnavailableError(`Kafka was asked for, and its addon cannot be loaded: ${(error as Error).message}`, {
      fix: 'run `make kafka` (it builds librdkafka from the optional package node-rdkafka: about two minutes)',
      cause: error,
    })
  }
  return loaded
}

/** Connects when it is first used. */
export function openKafkaAdmin(properties: KafkaProperties, timeoutMs = 10_000): KafkaAdmin {
  const { NativeKafkaAdmin } = kafkaAddon()
  const told = async <T>(call: () => T | Promise<T>): Promise<T> => {
    try {
      return await call()
    } catch (error) {
      // A wrong argument is a mistake of the caller, not of the cluster.
      throw error instanceof TypeError ? error : kafkaErrorOf(error, properties)
    }
  }
  let admin: KafkaAdmin
  try {
    admin = new NativeKafkaAdmin(properties, timeoutMs)
  } catch (error) {
    throw kafkaErrorOf(error, properties)
  }
  return {
    cluster: () => told(() => admin.cluster()),
    topics: (names) => told(() => admin.topics(names)),
    topicConfigs: (names) => told(() => admin.topicConfigs(names)),
    brokerConfig: (id) => told(() => admin.brokerConfig(id)),
    createTopics: (topics, options) => told(() => admin.createTopics(topics, options)),
    createPartitions: (topics, options) => told(() => admin.createPartitions(topics, options)),
    alterTopicConfigs: (topics) => told(() => admin.alterTopicConfigs(topics)),
    deleteTopics: (names) => told(() => admin.deleteTopics(names)),
    offsets: (partitions) => told(() => admin.offsets(partitions)),
    groups: () => told(() => admin.groups()),
    describeGroups: (groups) => told(() => admin.describeGroups(groups)),
    committed: (group) => told(() => admin.committed(group)),
    alterCommitted: (group, offsets) => told(() => admin.alterCommitted(group, offsets)),
    deleteGroups: (groups) => told(() => admin.deleteGroups(groups)),
    close: () => admin.close(),
  }
}

/** The log on a cluster, for adoptNativeLog; connects before it resolves. */
export async function openNativeKafkaLog(properties: KafkaProperties, options: KafkaLogOptions = {}): Promise<NativeEngine> {
  try {
    return await kafkaAddon().openKafkaLog(properties, options)
  } catch (error) {
    throw error instanceof TypeError ? error : kafkaErrorOf(error, properties)
  }
}
