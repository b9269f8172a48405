/** Dead letters as rows for people: symbols and times in plain text, filters by field, and what a redrive would do with each. */
import { UsageError } from '../core/errors.js'
import { type DeadLetterEntry, readDeadLetters } from '../log/index.js'
import { heldTopics, refreshRegistry } from './reading.js'
import type { Runtime } from './runtime.js'

export interface LetterRow {
  readonly id: string
  readonly state: string
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly index: number
  readonly type: string
  readonly symbol: string
  readonly event_id: string
  readonly class: string
  readonly attempts: number
  readonly redrives: number
  readonly dead: string
  /** Before that time its plan advises against trying again. */
  readonly due: string
  readonly review: boolean
  readonly reason: string
}

export interface LetterFilter {
  /** Full names, aliases, or names with `*` for a part. */
  readonly topic?: string | undefined
  readonly group?: string | undefined
  readonly class?: string | undefined
  /** Part of the reason, in either case. */
  readonly reason?: string | undefined
  /** ns UTC: those that died at or after it. */
  readonly since?: bigint | undefined
  /** `field=value` of a row. */
  readonly fields?: readonly string[] | undefined
}

export interface FoundLetter {
  readonly entry: DeadLetterEntry
  readonly row: LetterRow
}

const isoOf = (ns: bigint): string => new Date(Number(ns / 1_000_000n)).toISOString()
export const dueNs = ({ letter }: DeadLetterEntry): bigint =>
  BigInt(letter.tsDead) + BigInt(letter.replay.suggestedDelayS) * 1_000_000_000n

export async function findLetters(runtime: Runtime, filter: LetterFilter): Promise<FoundLetter[]> {
  const topics = filter.topic === undefined ? undefined : await heldTopics(runtime, [filter.topic])
  const entries = await readDeadLetters(runtime.log, topics === undefined ? {} : { topics })
  const sources = [...new Set(entries.map(({ letter }) => letter.topic))]
  await refreshRegistry(runtime, sources)
  const wanted = fieldTests(filter.fields ?? [])
  const reason = filter.reason?.toLowerCase()
  return entries
    .map((entry) => ({ entry, row: rowOf(runtime, entry) }))
    .filter(
      ({ entry, row }) =>
        (filter.group === undefined || row.group === filter.group) &&
        (filter.class === undefined || row.class === filter.class) &&
        (reason === undefined || row.reason.toLowerCase().includes(reason)) &&
        (filter.since === undefined || BigInt(entry.letter.tsDead) >= filter.since) &&
        wanted.every(([field, value]) => String(row[field]) === value),
    )
}

function rowOf(runtime: Runtime, entry: DeadLetterEntry): LetterRow {
  const { id, state, letter } = entry
  const { topic, partition, offset, index, group, attempts, redrives, reason } = letter
  return {
    id,
    state,
    group,
    topic,
    partition,
    offset,
    index,
    type: letter.recordType ?? letter.messageKind,
    symbol: letter.instrumentId === undefined ? '' : (runtime.scaleOf(letter.instrumentId)?.symbol ?? ''),
    event_id: letter.eventId ?? '',
    class: letter.reasonClass,
    attempts,
    redrives,
    dead: isoOf(BigInt(letter.tsDead)),
    due: isoOf(dueNs(entry)),
    review: letter.replay.requiresReview,
    reason,
  }
}

export const letterFields = [
  'id',
  'state',
  'group',
  'topic',
  'partition',
  'offset',
  'index',
  'type',
  'symbol',
  'event_id',
  'class',
  'attempts',
  'redrives',
  'dead',
  'due',
  'review',
  'reason',
] as const satisfies readonly (keyof LetterRow)[]

function fieldTests(given: readonly string[]): [keyof LetterRow, string][] {
  return given.map((text) => {
    const at = text.indexOf('=')
    const field = letterFields.find((name) => name === text.slice(0, at))
    if (at < 1 || field === undefined) {
      throw new UsageError(`${JSON.stringify(text.slice(0, 60))} is not field=value of a dead letter`, {
        field: '--filter',
        validValues: letterFields,
        fix: 'give for example --filter symbol=BTCUSDT',
      })
    }
    return [field, text.slice(at + 1)]
  })
}

/** Undefined: it can be redriven now. */
export function redriveObstacle(
  entry: DeadLetterEntry,
  given: { readonly isReviewed: boolean; readonly isEarly: boolean; readonly nowNs: bigint },
): string | undefined {
  const { letter, state } = entry
  if (state === 'requested') return 'asked for already'
  if (state === 'redriven') return 'redriven already'
  if (!letter.replay.canReplay) return letter.replay.obstacle ?? `the letter holds a part of its ${letter.valueBytes} bytes only`
  if (letter.replay.requiresReview && !given.isReviewed) return 'needs a review: give --reviewed'
  return dueNs(entry) > given.nowNs && !given.isEarly ? `due ${isoOf(dueNs(entry))}: give --early` : undefined
}
