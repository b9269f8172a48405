/**
 * What stands in `{topic}.dlq`: letters, requests to try them again, and marks that they stood. JSON messages under the
 * letter's id as key, in the partition the record came from. Pure; docs/adr/0011 tells why it is so.
 */
import { z } from 'zod'
import { type RetryClass, retryClassOf } from '../core/index.js'
import { encodeBatch } from '../native/log.js'
import { eventId, fieldsOf, type RecordName } from '../wire/index.js'
import { layout } from '../wire/layout.js'
import { SlabBatch } from './batch.js'
import type { Batch, MessageKind } from './types.js'

/** What to do with a letter, by the class of what killed it. */
export interface ReplayPlan {
  /** False: the letter does not hold the whole value, or for the reason that `obstacle` tells. */
  readonly canReplay: boolean
  readonly obstacle?: string
  /** Before that time after death trying again makes little sense. */
  readonly suggestedDelayS: number
  /** Trying again without a change gives the same end: somebody looks first. */
  readonly requiresReview: boolean
}

export interface DeadLetter {
  readonly kind: 'letter'
  /** group/topic/partition/offset/index: one per record and group, however often it dies. */
  readonly id: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** In its batch; 0 for an opaque message and for a batch that cannot be read, which die whole. */
  readonly index: number
  readonly log: string
  readonly group: string
  /** Of the message. */
  readonly key: string
  readonly messageKind: MessageKind
  /** `trade`, `quote`…; undefined: an opaque message or a batch that cannot be read. */
  readonly recordType?: RecordName
  readonly eventId?: string
  readonly instrumentId?: number
  readonly reasonClass: RetryClass
  readonly reason: string
  /** Calls of the handler in this life. */
  readonly attempts: number
  /** Times it was tried again after it had died. */
  readonly redrives: number
  readonly correlationId: string
  /** ns UTC. */
  readonly tsDead: string
  readonly replay: ReplayPlan
  /** Offset of the letter whose redrive ended in this one. */
  readonly redriveOf?: number
  readonly valueBytes: number
  /** The record or the whole value, base64; cut when it is longer than a letter may be. */
  readonly value: string
}

/** Asks the group's owner of the partition to try the letter at that offset of the dead-letter topic again. */
export interface RedriveRequest {
  readonly kind: 'redrive'
  readonly letter: number
  readonly tsRequested: string
}

/** The letter at that offset stood. */
export interface RedrivenMark {
  readonly kind: 'redriven'
  readonly letter: number
  readonly tsRedriven: string
}

export type DeadLetterMessage = DeadLetter | RedriveRequest | RedrivenMark
/** `requested`: a redrive was asked for and the group has not come to it. */
export type LetterState = 'dead' | 'requested' | 'redriven'

const plans: Readonly<Record<RetryClass, Omit<ReplayPlan, 'canReplay'>>> = {
  TRANSIENT: { suggestedDelayS: 300, requiresReview: false },
  INFRASTRUCTURE: { suggestedDelayS: 900, requiresReview: false },
  RATE_LIMIT: { suggestedDelayS: 1_800, requiresReview: false },
  BUSINESS: { suggestedDelayS: 3_600, requiresReview: false },
  AUTH: { suggestedDelayS: 7_200, requiresReview: true },
  POISON: { suggestedDelayS: 0, requiresReview: true },
}

/** With its base64 below the megabyte that a message and a segment of dead letters take. */
const VALUE_BYTES_MAX = 512 * 1024

export const reasonOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error))

export interface Death {
  readonly log: string
  readonly group: string
  readonly batch: Batch
  readonly index: number
  readonly error: unknown
  /** Calls of the handler. */
  readonly attempts: number
  readonly correlationId: string
  readonly tsDead: bigint
  /** Of a letter that was tried again: that letter and where it stands. */
  readonly before?: { readonly letter: DeadLetter; readonly at: number } | undefined
  /** Why nobody of the group can try it again. */
  readonly obstacle?: string
}

export function letterOf(death: Death): DeadLetter {
  const { log, group, batch, error, attempts, correlationId, tsDead, before, obstacle } = death
  const { topic, partition, offset, key, kind } = batch
  const view = batch.view()
  const value = view === undefined ? batch.value : view.record(death.index)
  const field = view === undefined ? undefined : fieldsOf(view.name).instrument_id
  const event = view === undefined ? undefined : eventId(view, death.index)
  const reasonClass = retryClassOf(error)
  // A single record that came again has index 0 in its batch and keeps the place it had.
  const index = before?.letter.recordType === undefined ? death.index : before.letter.index
  const id = `${group}/${topic}/${partition}/${offset}/${index}`
  const isAgain = before !== undefined && before.letter.id === id
  return {
    kind: 'letter',
    id,
    topic,
    partition,
    offset,
    index,
    log,
    group,
    key,
    messageKind: kind,
    ...(view === undefined ? {} : { recordType: view.name }),
    ...(event === undefined ? {} : { eventId: event }),
    ...(view === undefined || field === undefined ? {} : { instrumentId: view.number(field, death.index) }),
    reasonClass,
    reason: reasonOf(error),
    attempts,
    redrives: isAgain ? before.letter.redrives + 1 : 0,
    correlationId,
    tsDead: tsDead.toString(),
    replay: {
      canReplay: obstacle === undefined && value.length <= VALUE_BYTES_MAX,
      ...plans[reasonClass],
      ...(obstacle === undefined ? {} : { obstacle }),
    },
    ...(isAgain ? { redriveOf: before.at } : {}),
    valueBytes: value.length,
    value: Buffer.from(value.subarray(0, VALUE_BYTES_MAX)).toString('base64'),
  }
}

/** The letter's record as a batch of that one, or its message as it was. Throws when the letter's bytes are not that. */
export function batchOf(letter: DeadLetter, tsAppend: bigint): SlabBatch {
  const { topic, partition, offset, recordType, messageKind } = letter
  const value = new Uint8Array(Buffer.from(letter.value, 'base64'))
  const bytes = recordType === undefined ? value : encodeBatch(layout.records[recordType].type, value, tsAppend)
  return new SlabBatch(topic, partition, offset, 1, messageKind, bytes, new TextEncoder().encode(letter.key), undefined)
}

export const messageBytes = (message: DeadLetterMessage): Uint8Array => new TextEncoder().encode(JSON.stringify(message))

const count = z.int().min(0)
/** ns UTC as decimal digits. */
const timeNs = z.string().regex(/^\d{1,19}$/)
const letterShape = z.object({
  kind: z.literal('letter'),
  id: z.string(),
  topic: z.string(),
  partition: count,
  offset: count,
  index: count,
  log: z.string(),
  group: z.string(),
  key: z.string(),
  messageKind: z.enum(['batch', 'opaque']),
  recordType: z.enum(Object.keys(layout.records) as RecordName[]).exactOptional(),
  eventId: z.string().exactOptional(),
  instrumentId: count.exactOptional(),
  reasonClass: z.enum(Object.keys(plans) as RetryClass[]),
  reason: z.string(),
  attempts: count,
  redrives: count,
  correlationId: z.string(),
  tsDead: timeNs,
  replay: z.object({
    canReplay: z.boolean(),
    obstacle: z.string().exactOptional(),
    // With more than a millennium the time it is due is no date.
    suggestedDelayS: count.max(1e9),
    requiresReview: z.boolean(),
  }),
  redriveOf: count.exactOptional(),
  valueBytes: count,
  value: z.string(),
}) satisfies z.ZodType<DeadLetter>
const messageShape = z.discriminatedUnion('kind', [
  letterShape,
  z.object({ kind: z.literal('redrive'), letter: count, tsRequested: timeNs }) satisfies z.ZodType<RedriveRequest>,
  z.object({ kind: z.literal('redriven'), letter: count, tsRedriven: timeNs }) satisfies z.ZodType<RedrivenMark>,
])

/** Undefined: nothing of ours; others may write to the topic, too. */
export function messageOf(value: Uint8Array): DeadLetterMessage | undefined {
  try {
    return messageShape.safeParse(JSON.parse(new TextDecoder().decode(value.slice()))).data
  } catch {
    return undefined
  }
}
