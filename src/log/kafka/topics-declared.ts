/** The Kafka topics that declared topics stand for: the engine's own under `{name}.batch`, the open view under the plain name. */
import type { TopicConfig } from '../../model/topics.js'

export interface KafkaTopicDeclaration {
  readonly name: string
  readonly kind: 'engine' | 'view' | 'internal'
  readonly partitions: number
  /** As declared; a cluster with fewer brokers gets as many as it has. */
  readonly replication: number
  readonly minIsr: number
  /** Without min.insync.replicas, which depends on the copies a topic really has. */
  readonly config: Readonly<Record<string, string>>
  /** Where its partition count stands in the topics file. */
  readonly field: string
}

/** Kafka's default for a message; a batch is smaller, and a segment at least this large. */
const MESSAGE_BYTES_MIN = 1 << 20
/** A replay writes times long past, a simulated market times to come: both are welcome. */
const ANY_TIME_MS = '9223372036854775807'

const engineTopicOf = (topic: TopicConfig): string => (topic.dataType === undefined ? topic.name : `${topic.name}.batch`)

const keeping = (topic: TopicConfig): Record<string, string> => ({
  'cleanup.policy': topic.compact ? 'compact' : 'delete',
  'retention.ms': String(topic.retentionMs),
  'retention.bytes': String(topic.retentionBytes),
  // Brokers keep what producers sent in this codec as it came, and recompress the rest.
  'compression.type': topic.compression === 'none' ? 'uncompressed' : topic.compression,
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.after.max.ms': ANY_TIME_MS,
})

export const kafkaTopicsOf = (topic: TopicConfig): KafkaTopicDeclaration[] =>
  topic.view ? [engineTopic(topic), viewTopicOf(topic)] : [engineTopic(topic)]

export function engineTopic(topic: TopicConfig): KafkaTopicDeclaration {
  const segment = String(Math.max(topic.segmentBytes, MESSAGE_BYTES_MIN))
  return {
    name: engineTopicOf(topic),
    kind: topic.dataType === undefined ? 'internal' : 'engine',
    partitions: topic.partitions,
    replication: topic.replication,
    minIsr: topic.minIsr,
    config: { ...keeping(topic), 'segment.bytes': segment, 'max.message.bytes': segment },
    field: topic.dataType === undefined ? `internal.${topic.name}.engine_partitions` : `topics.${topic.name}.engine_partitions`,
  }
}

export const viewTopicOf = (topic: TopicConfig): KafkaTopicDeclaration => ({
  name: topic.name,
  kind: 'view',
  partitions: topic.viewPartitions,
  replication: topic.replication,
  minIsr: topic.minIsr,
  config: keeping(topic),
  field: `topics.${topic.name}.view_partitions`,
})

/** `min.insync.replicas` with the copies there are: more would stop every write. */
export const minIsrWith = (declared: KafkaTopicDeclaration, copies: number): string => String(Math.min(declared.minIsr, copies))
