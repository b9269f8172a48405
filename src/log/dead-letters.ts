/**
 * Dead letters for tools: what there is and what became of it, one letter whole, asking for a redrive. Reads and appends to
 * the dead-letter topics through the log's interface, so it works on either engine; memory for one entry per letter.
 */
import { LogError } from '../core/index.js'
import { type DeadLetter, type LetterState, messageBytes, messageOf } from './dead-letter.js'
import { DeadLetterBook } from './dead-letter-book.js'
import { deadLetterTopic } from './options.js'
import type { Log } from './types.js'

export interface DeadLetterEntry {
  readonly id: string
  readonly state: LetterState
  /** Offset of the letter in the dead-letter topic. */
  readonly at: number
  readonly letter: Omit<DeadLetter, 'value'>
}

type LetterLog = Pick<Log, 'topics' | 'read'>

const SUFFIX = deadLetterTopic('')

/** In order of topic, partition and offset. `topics`: those the records came from; all when not given. */
export async function readDeadLetters(
  log: LetterLog,
  options: { readonly topics?: readonly string[] } = {},
): Promise<DeadLetterEntry[]> {
  const entries: DeadLetterEntry[] = []
  const wanted = options.topics === undefined ? undefined : new Set(options.topics.map(deadLetterTopic))
  for (const { name, partitions } of await log.topics()) {
    if (!name.endsWith(SUFFIX) || wanted?.has(name) === false) continue
    for (let partition = 0; partition < partitions; partition++) entries.push(...(await readPartition(log, name, partition)))
  }
  return entries
}

async function readPartition(log: LetterLog, topic: string, partition: number): Promise<DeadLetterEntry[]> {
  const book = new DeadLetterBook()
  const letters = new Map<string, { at: number; letter: Omit<DeadLetter, 'value'> }>()
  for await (const { offset, key, value } of log.read({ topics: [topic], partitions: [partition] })) {
    const message = messageOf(value)
    if (message === undefined) continue
    book.apply(offset, key, message)
    if (message.kind !== 'letter' || book.of(key)?.at !== offset) continue
    const { value: _, ...letter } = message
    letters.set(key, { at: offset, letter })
  }
  return [...book.entries].flatMap(({ id, state }) => {
    const found = letters.get(id)
    return found === undefined ? [] : [{ id, state, ...found }]
  })
}

/** The letter with its value; undefined when retention took it. */
export async function readLetter(log: LetterLog, entry: DeadLetterEntry): Promise<DeadLetter | undefined> {
  const { topic, partition } = entry.letter
  const range = { from: { offset: entry.at }, to: { offset: entry.at + 1 } }
  for await (const { value } of log.read({ topics: [deadLetterTopic(topic)], partitions: [partition], ...range })) {
    const message = messageOf(value)
    return message?.kind === 'letter' ? message : undefined
  }
  return undefined
}

/**
 * Asks for each letter to be tried again by its group; answers how many requests were written. A request names the letter's
 * offset, so one that is written twice, or after the letter stood, changes nothing.
 */
export async function requestRedrive(
  log: Pick<Log, 'append'>,
  entries: readonly Pick<DeadLetterEntry, 'id' | 'at' | 'letter'>[],
  nowNs: bigint,
): Promise<number> {
  let written = 0
  for (const { id, at, letter } of entries) {
    const topic = deadLetterTopic(letter.topic)
    const value = messageBytes({ kind: 'redrive', letter: at, tsRequested: nowNs.toString() })
    const { status } = await log.append(topic, letter.partition, { kind: 'opaque', key: id, value })
    if (status !== 'ok') {
      throw new LogError(`${topic} partition ${letter.partition} took no request for ${id}: ${status}`, {
        fix: `run it again: the ${written} requests written so far stand`,
      })
    }
    written++
  }
  return written
}
