/**
 * Groups and their lag on the embedded engine. Reads group pages and partition ends, writes nothing, joins nothing; a few
 * microseconds a partition on the calling thread.
 */

import type { NativeLog } from '../native/log.js'
import { listNativeGroups, type NativeGroup, nativeTsRecvAt } from '../native/log-groups.js'
import { lagOf } from './lag.js'
import type { GroupSummary, PartitionLag, TopicPartition } from './types.js'

type Member = NativeGroup['members'][number]
const memberId = (member: Member): string => `${member.pid}-${member.incarnation}`

export function embeddedGroups(log: NativeLog): GroupSummary[] {
  return listNativeGroups(log).map((group) => ({
    group: group.name,
    state: group.members.length === 0 ? 'empty' : 'stable',
    protocol: 'embedded',
    durable: group.durable,
    topics: group.topics.map(({ name, partitions }) => ({ topic: name, partitions: partitions.length })),
    members: group.members.map((member, index) => ({
      id: memberId(member),
      host: `pid ${member.pid}`,
      heartbeatAgeMs: member.heartbeatAgeMs,
      partitions: group.topics.flatMap(({ name: topic, partitions }) =>
        partitions.flatMap(({ owner }, partition) => (owner === index ? [{ topic, partition }] : [])),
      ),
    })),
  }))
}

const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`

export function embeddedLag(log: NativeLog, name: string, only?: readonly TopicPartition[]): PartitionLag[] {
  const wanted = only && new Set(only.map(({ topic, partition }) => placeOf(topic, partition)))
  const group = listNativeGroups(log).find((each) => each.name === name)
  const lags: PartitionLag[] = []
  for (const { name: topic, partitions } of group?.topics ?? []) {
    for (const [partition, { owner, committed }] of partitions.entries()) {
      if (wanted?.has(placeOf(topic, partition)) === false) continue
      const info = log.describe(topic, partition)
      if (info === undefined) continue
      const member = owner === undefined ? undefined : group?.members[owner]
      const place = { group: name, topic, partition, owner: member === undefined ? undefined : memberId(member) }
      const waitingSince = (offset: number): bigint | undefined => nativeTsRecvAt(log, topic, partition, offset)
      lags.push(
        lagOf(place, committed, { begin: info.beginOffset, end: info.endOffset, newest: info.tsRecvNewest }, waitingSince),
      )
    }
  }
  return lags
}
