/**
 * What lag is, in offsets and in milliseconds, and how it adds up over an exchange. Pure: the engines bring the numbers.
 */
import type { PartitionLag } from './types.js'

interface Ends {
  readonly begin: number
  readonly end: number
  /** Newest ts_recv in the partition. */
  readonly newest: bigint
}

/** Of a public name, a view's included; topics that belong to no exchange have none. */
export const exchangeOf = (topic: string): string | undefined => /^(?:kafka:)?market\.[^.]+\.[^.]+\.([^.]+)/.exec(topic)?.[1]

/** `tsRecvAt` is asked only when something waits. What retention took before it was read no longer waits. */
export function lagOf(
  place: Pick<PartitionLag, 'group' | 'topic' | 'partition' | 'owner'>,
  committed: number | undefined,
  ends: Ends,
  tsRecvAt: (offset: number) => bigint | undefined,
): PartitionLag {
  const next = Math.max(committed ?? ends.begin, ends.begin)
  const lagMessages = Math.max(0, ends.end - next)
  const oldest = lagMessages === 0 ? undefined : tsRecvAt(next)
  const lagMs = oldest === undefined || oldest >= ends.newest ? 0 : Number((ends.newest - oldest) / 1_000_000n)
  return { ...place, exchange: exchangeOf(place.topic), committed, end: ends.end, lagMessages, lagMs }
}

export interface ExchangeLag {
  readonly group: string
  readonly exchange: string
  readonly partitions: number
  /** Summed over its partitions. */
  readonly lagMessages: number
  /** Of the partition that is furthest behind. */
  readonly lagMs: number
}

/** Topics that belong to no exchange stand under `-`. */
export function lagByExchange(lags: readonly PartitionLag[]): ExchangeLag[] {
  const sums = new Map<string, ExchangeLag>()
  for (const { group, exchange = '-', lagMessages, lagMs } of lags) {
    const key = `${group}/${exchange}`
    const sum = sums.get(key) ?? { group, exchange, partitions: 0, lagMessages: 0, lagMs: 0 }
    sums.set(key, {
      group,
      exchange,
      partitions: sum.partitions + 1,
      lagMessages: sum.lagMessages + lagMessages,
      lagMs: Math.max(sum.lagMs, lagMs),
    })
  }
  return [...sums.values()]
}

const PARTITIONS_PER_MEMBER = 10

/** How many members a group should have at least; undefined when it has them. */
export function membersWanted(members: number, partitions: number): number | undefined {
  const wanted = Math.ceil(partitions / PARTITIONS_PER_MEMBER)
  return members < wanted ? wanted : undefined
}
