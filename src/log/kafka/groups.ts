/**
 * Groups and their lag on Kafka, of ours and of anybody's. Reads the coordinator and partition ends through the control plane,
 * and for milliseconds the first and the last message of the partitions that lag, one after the other; writes nothing.
 */
import { KafkaError } from '../../core/index.js'
import type { KafkaAdmin, KafkaTopicPartition } from '../../native/kafka.js'
import { fieldsOf } from '../../wire/index.js'
import { lagOf } from '../lag.js'
import type { Batch, GroupMember, GroupSummary, Log, PartitionLag, TopicPartition } from '../types.js'

type GroupAdmin = Pick<KafkaAdmin, 'groups' | 'describeGroups' | 'committed' | 'offsets' | 'topics'>
type ReadLog = Pick<Log, 'read'>

/** Reads at a time, one a partition: each has a native thread and a slab of 2 MiB. */
const READS_MAX = 8
/** As long as a call of the control plane: whoever asks for the lag hears that a broker is away. */
const READ_MS_MAX = 10_000

/**
 * The log's name of a Kafka topic; a view has its exact name, which the log reads, too. Mirrors native/kafka/names.h.
 */
export function logTopicOf(kafkaName: string): string {
  if (kafkaName.endsWith('.batch')) return kafkaName.slice(0, -'.batch'.length)
  return kafkaName.startsWith('market.') && !kafkaName.endsWith('.dlq') ? `kafka:${kafkaName}` : kafkaName
}

const placeOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`

export async function kafkaGroups(admin: GroupAdmin): Promise<GroupSummary[]> {
  const names = (await admin.groups()).map(({ group }) => group)
  const described = await admin.describeGroups(names)
  const committed = await Promise.all(names.map(async (name) => [name, await admin.committed(name)] as const))
  const offsetsOf = new Map(committed)
  const topicsOf = (group: (typeof described)[number]): string[] => {
    const read = [...group.members.flatMap(({ assignment }) => assignment), ...(offsetsOf.get(group.group) ?? [])]
    return [...new Set(read.map(({ topic }) => topic))].toSorted()
  }
  const wanted = [...new Set(described.flatMap(topicsOf))]
  const counts = new Map(
    (wanted.length === 0 ? [] : await admin.topics(wanted)).map(({ name, partitions }) => [name, partitions.length]),
  )
  return described
    .map((group) => ({
      group: group.group,
      state: group.state.toLowerCase(),
      protocol: group.type.toLowerCase() === 'consumer' ? ('consumer' as const) : ('classic' as const),
      // Kafka's retention waits for nobody.
      durable: false,
      topics: topicsOf(group).map((name) => ({ topic: logTopicOf(name), partitions: counts.get(name) ?? 0 })),
      members: group.members.map(
        ({ id, clientId, host, instanceId, assignment }): GroupMember => ({
          id,
          host: `${instanceId ?? clientId} ${host}`,
          partitions: assignment.map(({ topic, partition }) => ({ topic: logTopicOf(topic), partition })),
        }),
      ),
    }))
    .toSorted((a, b) => (a.group < b.group ? -1 : 1))
}

export async function kafkaLag(
  admin: GroupAdmin,
  log: ReadLog,
  group: string,
  only?: readonly TopicPartition[],
): Promise<PartitionLag[]> {
  if (only?.length === 0) return []
  const [[described], offsets] = await Promise.all([admin.describeGroups([group]), admin.committed(group)])
  const owners = new Map<string, string>()
  const places = new Map<string, KafkaTopicPartition>()
  for (const { id, assignment } of described?.members ?? []) {
    for (const place of assignment) {
      owners.set(placeOf(place), id)
      places.set(placeOf(place), place)
    }
  }
  for (const place of offsets) places.set(placeOf(place), place)
  const wanted = only && new Set(only.map(placeOf))
  for (const [key, { topic, partition }] of places) {
    if (wanted?.has(placeOf({ topic: logTopicOf(topic), partition })) === false) places.delete(key)
  }
  if (places.size === 0) return []
  const committed = new Map(offsets.map((each) => [placeOf(each), each.offset]))
  const ends = await admin.offsets([...places.values()].map(({ topic, partition }) => ({ topic, partition })))
  const lags: PartitionLag[] = []
  for (let i = 0; i < ends.length; i += READS_MAX) {
    const some = ends.slice(i, i + READS_MAX).map(async ({ topic, partition, begin, end }) => {
      const key = placeOf({ topic, partition })
      const offset = committed.get(key)
      const place = { group, topic: logTopicOf(topic), partition, owner: owners.get(key) }
      const next = Math.max(offset ?? begin, begin)
      const oldest = next < end ? await tsRecvAt(log, place, next) : undefined
      const newest = oldest === undefined || next === end - 1 ? oldest : await tsRecvAt(log, place, end - 1)
      return lagOf(place, offset, { begin, end, newest: newest?.last ?? 0n }, () => oldest?.first)
    })
    lags.push(...(await Promise.all(some)))
  }
  return lags.toSorted((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

/** ts_recv of the first and the last record of the message; undefined: a message without records has no time of its own. */
async function tsRecvAt(
  log: ReadLog,
  { topic, partition }: TopicPartition,
  offset: number,
): Promise<{ readonly first: bigint; readonly last: bigint } | undefined> {
  const signal = AbortSignal.timeout(READ_MS_MAX)
  for await (const batch of log.read({
    topics: [topic],
    partitions: [partition],
    from: { offset },
    to: { offset: offset + 1 },
    signal,
  })) {
    return tsRecvOf(batch)
  }
  if (signal.aborted) throw new KafkaError(`${topic} partition ${partition} gave no message at ${offset} in ${READ_MS_MAX} ms`)
  return undefined
}

function tsRecvOf(batch: Batch): { readonly first: bigint; readonly last: bigint } | undefined {
  const view = batch.view()
  const field = view === undefined ? undefined : fieldsOf(view.name).ts_recv
  if (view === undefined || field === undefined || view.count === 0) return undefined
  return { first: view.tsRecvFirst, last: view.big(field, view.count - 1) }
}
