/**
 * Adds partitions to a topic that holds records. A key's partition changes with their number, so per-key order is kept only across
 * a line: everything before it was read, and nothing is written while it is drawn. This looks for both and refuses otherwise.
 */
import { type Clock, delay } from '../../core/clock.js'
import { KafkaError } from '../../core/errors.js'
import type { KafkaAdmin } from '../../native/kafka.js'
import { refused, visible } from './topics-apply.js'

export interface GrowthOptions {
  readonly topic: string
  readonly partitions: number
  /** How long nothing may be appended. */
  readonly quietMs: number
  readonly clock: Clock
  readonly signal?: AbortSignal
}

interface GroupLag {
  readonly group: string
  readonly partition: number
  readonly lag: number
}

/** Answers how many partitions there were. Throws KafkaError before anything is changed. */
export async function growTopic(admin: KafkaAdmin, options: GrowthOptions): Promise<number> {
  const { topic, partitions } = options
  const [held] = await admin.topics([topic])
  if (held === undefined)
    throw new KafkaError(`the cluster has no topic ${topic}`, { field: topic, fix: '`tickwire topics apply` creates it' })
  const from = held.partitions.length
  if (partitions <= from) {
    throw new KafkaError(`${topic} has ${from} partitions: ${partitions} is not more`, {
      field: '--partitions',
      validValues: [`${from + 1} or more`],
      fix: 'partitions can be added and never taken away',
    })
  }
  // A broker that is away keeps its groups to itself: nobody could tell whether they have read everything.
  const short = held.partitions.find((p) => p.isr.length < p.replicas.length)
  if (short !== undefined) {
    throw new KafkaError(`${topic}/${short.partition} has ${short.isr.length} of ${short.replicas.length} copies in sync`, {
      field: topic,
      fix: 'wait until all brokers are back',
    })
  }
  const of = held.partitions.map(({ partition }) => ({ topic, partition }))
  const before = await admin.offsets(of)
  await delay(options.clock, options.quietMs, options.signal)
  const after = await admin.offsets(of)
  const appended = after.reduce((sum, o, i) => sum + o.end - (before[i]?.end ?? 0), 0)
  if (appended > 0) {
    throw new KafkaError(`${appended} records were appended to ${topic} within ${options.quietMs} ms`, {
      field: topic,
      fix: 'stop its producers (SIGTERM: they drain) and ask again',
    })
  }
  // Asked after the pause, so that nothing can have been appended behind a group's back.
  const behind = await groupsBehind(admin, topic, after)
  const first = behind[0]
  if (first !== undefined) {
    const all = behind.reduce((sum, b) => sum + b.lag, 0)
    throw new KafkaError(
      `group ${first.group} has not read ${first.lag} records of ${topic}/${first.partition} (${all} in all)`,
      {
        field: first.group,
        fix: 'let its consumers finish, or delete the group if nobody reads with it any more',
      },
    )
  }
  refused('growing', await admin.createPartitions([{ name: topic, total: partitions }]))
  await visible(admin, new Map([[topic, partitions]]), options.clock)
  return from
}

async function groupsBehind(
  admin: KafkaAdmin,
  topic: string,
  ends: readonly { readonly partition: number; readonly begin: number; readonly end: number }[],
): Promise<GroupLag[]> {
  const groups = (await admin.groups()).map((g) => g.group)
  const members = groups.length === 0 ? [] : await admin.describeGroups(groups)
  const behind: GroupLag[] = []
  for (const group of groups) {
    const committed = new Map((await admin.committed(group)).filter((c) => c.topic === topic).map((c) => [c.partition, c.offset]))
    const assigned = new Set(
      (members.find((m) => m.group === group)?.members ?? [])
        .flatMap((m) => m.assignment)
        .filter((a) => a.topic === topic)
        .map((a) => a.partition),
    )
    for (const { partition, begin, end } of ends) {
      // A member that has committed nothing yet has everything before it.
      const at = committed.get(partition) ?? (assigned.has(partition) || committed.size > 0 ? begin : end)
      if (end > at) behind.push({ group, partition, lag: end - Math.max(at, begin) })
    }
  }
  return behind
}
