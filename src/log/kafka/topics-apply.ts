/** Makes the changes of a plan: creates, grows, sets. Each call names what a broker refused; what was done before stands and is not undone. */
import { KafkaError } from '../../core/errors.js'
import type { KafkaAdmin, KafkaOutcome } from '../../native/kafka.js'
import type { TopicChange } from './topics-plan.js'

const of = <K extends TopicChange['kind']>(changes: readonly TopicChange[], kind: K): Extract<TopicChange, { kind: K }>[] =>
  changes.filter((c): c is Extract<TopicChange, { kind: K }> => c.kind === kind)

/** Kafka checks everything with `validateOnly` first, so that a refusal leaves the cluster as it was. */
export async function applyTopics(admin: KafkaAdmin, changes: readonly TopicChange[]): Promise<void> {
  const created = of(changes, 'create').map(({ topic, partitions, replication, config }) => ({
    name: topic,
    partitions,
    replicationFactor: replication,
    config,
  }))
  const grown = of(changes, 'grow').map(({ topic, to }) => ({ name: topic, total: to }))
  const altered = of(changes, 'config')
  const settings = [...new Set(altered.map((c) => c.topic))].map((name) => ({
    name,
    config: Object.fromEntries(altered.filter((c) => c.topic === name).map((c) => [c.entry, c.to])),
  }))
  if (created.length > 0) refused('creating', await admin.createTopics(created, { validateOnly: true }))
  if (grown.length > 0) refused('growing', await admin.createPartitions(grown, { validateOnly: true }))
  // Two tools may run at once: what the other one made meanwhile is there.
  if (created.length > 0) refused('creating', await admin.createTopics(created), 'TOPIC_ALREADY_EXISTS')
  if (grown.length > 0) refused('growing', await admin.createPartitions(grown))
  if (settings.length > 0) refused('setting', await admin.alterTopicConfigs(settings))
}

export function refused(doing: string, outcomes: readonly KafkaOutcome[], harmless?: string): void {
  const failed = outcomes.filter((o) => o.error !== undefined && o.code !== harmless)
  const first = failed[0]
  if (first === undefined) return
  const others = failed.length > 1 ? ` (and ${failed.length - 1} more)` : ''
  throw new KafkaError(`${doing} ${first.name}: ${first.code ?? 'refused'}: ${first.error}${others}`, {
    field: first.name,
    fix: 'correct it and ask for the plan again; what was done before stands',
  })
}
