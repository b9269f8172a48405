/** Makes the changes of a plan: creates, grows, sets. Each call names what a broker refused; what was done before stands and is not undone. */
import { type Clock, delay } from '../../core/clock.js'
import { KafkaError } from '../../core/errors.js'
import type { KafkaAdmin, KafkaOutcome } from '../../native/kafka.js'
import type { KafkaTopicDeclaration } from './topics-declared.js'
import { planTopics, readCluster, type TopicChange } from './topics-plan.js'

const of = <K extends TopicChange['kind']>(changes: readonly TopicChange[], kind: K): Extract<TopicChange, { kind: K }>[] =>
  changes.filter((c): c is Extract<TopicChange, { kind: K }> => c.kind === kind)

/** Kafka checks everything with `validateOnly` first, so that a refusal leaves the cluster as it was. */
export async function applyTopics(admin: KafkaAdmin, changes: readonly TopicChange[], clock: Clock): Promise<void> {
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
  // Two processes may start at once: what the other one made meanwhile is there.
  const harmless = 'TOPIC_ALREADY_EXISTS'
  if (created.length > 0) refused('creating', await admin.createTopics(created, { validateOnly: true }), harmless)
  if (grown.length > 0) refused('growing', await admin.createPartitions(grown, { validateOnly: true }))
  if (created.length > 0) refused('creating', await admin.createTopics(created), harmless)
  if (grown.length > 0) refused('growing', await admin.createPartitions(grown))
  if (settings.length > 0) refused('setting', await admin.alterTopicConfigs(settings))
  await visible(
    admin,
    new Map([...created.map((c) => [c.name, c.partitions] as const), ...grown.map((g) => [g.name, g.total] as const)]),
    clock,
  )
}

/**
 * Makes those that are not there and leaves the others as they are: what a service does at its start. `onFewer` hears of each topic
 * that gets fewer copies than declared, because the cluster has fewer brokers: they stay fewer when the others come up.
 */
export async function createMissing(
  admin: KafkaAdmin,
  declared: readonly KafkaTopicDeclaration[],
  clock: Clock,
  onFewer?: (topic: string, wanted: number, has: number) => void,
): Promise<void> {
  const created = of(planTopics(declared, await readCluster(admin, declared)), 'create')
  for (const { topic, replication: has } of created) {
    const wanted = declared.find((d) => d.name === topic)?.replication ?? has
    if (has < wanted) onFewer?.(topic, wanted, has)
  }
  await applyTopics(admin, created, clock)
}

const VISIBLE_MS = 10_000
const LOOK_MS = 50

/** A broker answers before every other one knows: waits until each partition has a leader that answers, so that what comes next finds it. */
export async function visible(admin: KafkaAdmin, partitions: ReadonlyMap<string, number>, clock: Clock): Promise<void> {
  if (partitions.size === 0) return
  const deadline = clock.monotonicMs() + VISIBLE_MS
  while (!(await answers(admin, partitions))) {
    if (clock.monotonicMs() > deadline) {
      throw new KafkaError(`not all partitions of ${[...partitions.keys()].join(', ')} have a leader after ${VISIBLE_MS} ms`, {
        field: [...partitions.keys()][0],
        fix: 'check that all brokers of the cluster run; what was made stands',
      })
    }
    await delay(clock, LOOK_MS)
  }
}

async function answers(admin: KafkaAdmin, partitions: ReadonlyMap<string, number>): Promise<boolean> {
  const held = await admin.topics([...partitions.keys()])
  const led = new Map(held.map((t) => [t.name, t.partitions.filter((p) => p.leader >= 0).length]))
  if ([...partitions].some(([name, count]) => (led.get(name) ?? 0) < count)) return false
  // The client remembers topics for minutes, those that were not there too; asking for all of them makes it look anew.
  await admin.topics()
  const all = [...partitions].flatMap(([topic, count]) => Array.from({ length: count }, (_, partition) => ({ topic, partition })))
  return admin.offsets(all).then(
    () => true,
    () => false,
  )
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
