/**
 * What a cluster lacks of the declared topics. Reads the cluster and changes nothing; the comparison itself is pure. Topics that are
 * not declared are left alone: a cluster may be shared.
 */
import { TopicError } from '../../core/errors.js'
import type { KafkaAdmin, KafkaConfigEntry, KafkaTopic } from '../../native/kafka.js'
import { type KafkaTopicDeclaration, minIsrWith } from './topics-declared.js'

/** What stands on the cluster of the topics asked about. */
export interface ClusterTopics {
  readonly brokers: number
  readonly topics: readonly KafkaTopic[]
  readonly configs: ReadonlyMap<string, readonly KafkaConfigEntry[]>
  /** Topics that hold records: their keys would move if partitions were added. */
  readonly filled: ReadonlySet<string>
}

export type TopicChange =
  | {
      readonly kind: 'create'
      readonly topic: string
      readonly partitions: number
      readonly replication: number
      readonly config: Readonly<Record<string, string>>
    }
  | { readonly kind: 'grow'; readonly topic: string; readonly from: number; readonly to: number; readonly isFilled: boolean }
  | {
      readonly kind: 'config'
      readonly topic: string
      readonly entry: string
      readonly from: string | undefined
      readonly to: string
    }
  /** Only people can settle these two: partitions never go, and moving copies is a reassignment. */
  | { readonly kind: 'shrink'; readonly topic: string; readonly from: number; readonly to: number; readonly field: string }
  | { readonly kind: 'replication'; readonly topic: string; readonly from: number; readonly to: number }

export async function readCluster(admin: KafkaAdmin, declared: readonly KafkaTopicDeclaration[]): Promise<ClusterTopics> {
  const cluster = await admin.cluster()
  const topics = await admin.topics(declared.map((d) => d.name))
  const names = topics.map((t) => t.name)
  const growing = topics.filter((t) => t.partitions.length < (declared.find((d) => d.name === t.name)?.partitions ?? 0))
  const [configs, offsets] = await Promise.all([
    names.length === 0 ? [] : admin.topicConfigs(names),
    growing.length === 0
      ? []
      : admin.offsets(growing.flatMap((t) => t.partitions.map(({ partition }) => ({ topic: t.name, partition })))),
  ])
  return {
    brokers: cluster.brokers.length,
    topics,
    configs: new Map(configs.map((c) => [c.name, c.entries])),
    filled: new Set(offsets.filter((o) => o.end > o.begin).map((o) => o.topic)),
  }
}

/** In the order of the declarations. */
export function planTopics(declared: readonly KafkaTopicDeclaration[], cluster: ClusterTopics): TopicChange[] {
  const held = new Map(cluster.topics.map((t) => [t.name, t]))
  return declared.flatMap((d) => {
    const topic = held.get(d.name)
    if (topic !== undefined) return compared(d, topic, cluster)
    const replication = Math.min(d.replication, cluster.brokers)
    const config = { ...d.config, 'min.insync.replicas': minIsrWith(d, replication) }
    return [{ kind: 'create' as const, topic: d.name, partitions: d.partitions, replication, config }]
  })
}

function compared(declared: KafkaTopicDeclaration, topic: KafkaTopic, cluster: ClusterTopics): TopicChange[] {
  const changes: TopicChange[] = []
  const { name, partitions: to, replication, field } = declared
  const from = topic.partitions.length
  if (from < to) changes.push({ kind: 'grow', topic: name, from, to, isFilled: cluster.filled.has(name) })
  if (from > to) changes.push({ kind: 'shrink', topic: name, from, to, field })
  const copies = Math.min(...topic.partitions.map((p) => p.replicas.length))
  // With fewer brokers than copies declared nobody can tell a small cluster from one with a broker down.
  if (copies !== replication && cluster.brokers >= replication)
    changes.push({ kind: 'replication', topic: name, from: copies, to: replication })
  const entries = new Map(cluster.configs.get(name)?.map((e) => [e.name, e.value]))
  const wanted = { ...declared.config, 'min.insync.replicas': minIsrWith(declared, copies) }
  for (const [entry, value] of Object.entries(wanted)) {
    // A broker older than a setting does not list it.
    if (entries.has(entry) && entries.get(entry) !== value)
      changes.push({ kind: 'config', topic: name, entry, from: entries.get(entry), to: value })
  }
  return changes
}

/** Throws with the first change that must not be made by itself: before anything is touched. */
export function refuseUnsafe(changes: readonly TopicChange[], source: string): void {
  for (const change of changes) {
    if (change.kind === 'shrink') {
      throw new TopicError(
        `${source}: ${change.field}: ${change.topic} has ${change.from} partitions, and ${change.to} are declared`,
        {
          file: source,
          field: change.field,
          validValues: [`${change.from} or more`],
          fix: 'partitions can be added and never taken away: raise the count, or use a new topic',
        },
      )
    }
    if (change.kind === 'grow' && change.isFilled) {
      throw new TopicError(
        `${change.topic} holds records: with ${change.to} instead of ${change.from} partitions their keys would move`,
        {
          file: source,
          field: change.topic,
          fix: `stop its producers, let its consumers finish, then \`tickwire topics grow ${change.topic} --partitions ${change.to}\``,
        },
      )
    }
  }
}
