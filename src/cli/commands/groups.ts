import type { Command } from 'commander'
import { UsageError } from '../../core/errors.js'
import { type GroupSummary, membersWanted } from '../../log/index.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { type LogOptions, openToRead, withLogOptions } from '../log-options.js'
import { formatOf, formatOption, type Row, rowsText } from '../output.js'

export function groupsCommand(io: Io): Command {
  return withLogOptions(
    commandOf('groups', 'list consumer groups: their members and who owns what', [
      'groups --data ./data',
      'groups storage --kafka localhost:9092 --format json',
    ]).argument('[name]', 'only this group'),
  )
    .addOption(formatOption())
    .action(async (name: string | undefined, options: LogOptions & { format?: string }) => {
      const runtime = await openToRead(io, options)
      try {
        const groups = namedGroups(await runtime.log.groups(), name)
        await io.out(rowsText(groups.flatMap(rowsOf), formatOf(io, options.format), COLUMNS))
        suggestMembers(io, groups)
      } finally {
        await runtime.close()
      }
    })
}

const COLUMNS = ['group', 'state', 'protocol', 'durable', 'member', 'host', 'heartbeat_ms', 'partitions', 'owned'] as const

export function namedGroups(groups: readonly GroupSummary[], name: string | undefined): readonly GroupSummary[] {
  const found = name === undefined ? groups : groups.filter(({ group }) => group === name)
  if (found.length > 0 || name === undefined) return found
  throw new UsageError(`there is no group ${name}`, { field: 'group', validValues: groups.map(({ group }) => group) })
}

/** One row a member; one without a member for a group that has none. */
function rowsOf({ group, state, protocol, durable, members }: GroupSummary): Row[] {
  const head = { group, state, protocol, durable }
  if (members.length === 0) return [{ ...head, member: null, host: null, heartbeat_ms: null, partitions: 0, owned: '' }]
  return members.map(({ id, host, heartbeatAgeMs, partitions }) => {
    const owned = rangesText(partitions)
    return { ...head, member: id, host, heartbeat_ms: heartbeatAgeMs ?? null, partitions: partitions.length, owned }
  })
}

/** `market.crypto.trades.binance[0-3,7]` */
export function rangesText(partitions: readonly { readonly topic: string; readonly partition: number }[]): string {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
  return [...byTopic]
    .map(([topic, numbers]) => {
      const parts: string[] = []
      const sorted = numbers.toSorted((a, b) => a - b)
      for (let i = 0; i < sorted.length; i++) {
        const first = sorted[i]
        while (sorted[i + 1] === (sorted[i] ?? 0) + 1) i++
        parts.push(first === sorted[i] ? `${first}` : `${first}-${sorted[i]}`)
      }
      return `${topic}[${parts.join(',')}]`
    })
    .join(' ')
}

export function suggestMembers(io: Io, groups: readonly GroupSummary[]): void {
  for (const { group, members, topics } of groups) {
    const partitions = topics.reduce((sum, topic) => sum + topic.partitions, 0)
    const wanted = membersWanted(members.length, partitions)
    if (members.length === 0 || wanted === undefined) continue
    io.err(
      `group ${group}: ${members.length} of ${wanted} members; one consumer per 10 partitions is suggested for ${partitions}\n`,
    )
  }
}
