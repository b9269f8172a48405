/**
 * Proves what a load promises over any fault. Reads the local log that was replicated, the topic on Kafka and the members' taps.
 * Of each partition: after dropping repeats by (epoch, seq) Kafka holds the records of the local log, byte for byte and in its order;
 * the group skipped nothing, went in order within each term, and no term had two owners.
 */
import { type Batch, Dedup, type Log } from '../../../../src/log/index.js'
import { fieldsOf } from '../../../../src/wire/index.js'
import type { TapLine } from './orders.js'

export interface LoadHistory {
  readonly problems: readonly string[]
  readonly counted: {
    records: number
    messages: number
    repeats: number
    delivered: number
    deliveredAgain: number
    terms: number
  }
}

const PROBLEMS_MAX = 10

export async function checkLoad(
  local: Log,
  kafka: Log,
  topic: string,
  taps: readonly (readonly TapLine[])[],
): Promise<LoadHistory> {
  const problems: string[] = []
  const counted = { records: 0, messages: 0, repeats: 0, delivered: 0, deliveredAgain: 0, terms: 0 }
  const problem = (what: string): void => {
    if (problems.length < PROBLEMS_MAX) problems.push(what)
  }
  for (const line of taps.flat()) if (line.k === 'note') problem(`a member said: ${line.text}`)
  const partitions = (await local.topics()).find(({ name }) => name === topic)?.partitions ?? 0
  for (let partition = 0; partition < partitions; partition++) {
    const offsets: number[] = []
    const found = await compare(local, kafka, topic, partition, offsets)
    counted.records += found.records
    counted.repeats += found.repeats
    counted.messages += offsets.length
    if (found.problem !== '') problem(`partition ${partition}: ${found.problem}`)
    const group = checkGroup(partition, offsets, taps, problem)
    counted.delivered += group.delivered
    counted.deliveredAgain += group.again
    counted.terms += group.terms
  }
  return { problems, counted }
}

/** Walks both logs side by side. Kafka's offsets are written down for the group's check. */
async function compare(local: Log, kafka: Log, topic: string, partition: number, offsets: number[]) {
  const dedup = new Dedup()
  const wanted = new Records(local, topic, partition)
  let records = 0
  let repeats = 0
  for await (const batch of kafka.read({ topics: [topic], partitions: [partition] })) {
    offsets.push(batch.offset)
    const view = batch.view()
    if (view === undefined) return { records, repeats, problem: `offset ${batch.offset} is no batch` }
    for (let i = 0; i < view.count; i++) {
      if (!dedup.accept(view, i)) {
        repeats++
        continue
      }
      const want = wanted.next() ?? (await wanted.more())
      const have = view.record(i)
      if (want === undefined || Buffer.compare(want, have) !== 0) {
        const problem = `behind ${records} equal records Kafka holds ${told(have)} and the local log ${told(want)}`
        return { records, repeats, problem }
      }
      records++
    }
  }
  const lost = wanted.next() ?? (await wanted.more())
  return {
    records,
    repeats,
    problem: lost === undefined ? '' : `behind ${records} records Kafka ends, and the local log has ${told(lost)}`,
  }
}

function told(record: Uint8Array | undefined): string {
  if (record === undefined) return 'no more'
  const { instrument_id: id, epoch, seq } = fieldsOf('trade')
  const data = new DataView(record.buffer, record.byteOffset, record.byteLength)
  const at = (field: typeof id): number => data.getUint32(field?.offset ?? 0, true)
  return `instrument ${at(id)} epoch ${at(epoch)} seq ${at(seq)}`
}

/** The records of a partition, one after the other. */
class Records {
  readonly #batches: AsyncIterator<Batch>
  #view: ReturnType<Batch['view']>
  #next = 0

  constructor(log: Log, topic: string, partition: number) {
    this.#batches = log.read({ topics: [topic], partitions: [partition] })
  }

  /** Of the batch at hand. */
  next(): Uint8Array | undefined {
    return this.#view !== undefined && this.#next < this.#view.count ? this.#view.record(this.#next++) : undefined
  }

  async more(): Promise<Uint8Array | undefined> {
    for (;;) {
      const step = await this.#batches.next()
      if (step.done === true) return undefined
      this.#view = step.value.view()
      this.#next = 0
      const record = this.next()
      if (record !== undefined) return record
    }
  }
}

interface Term {
  readonly member: number
  readonly from: number
  readonly offsets: number[]
}

/** A term is one taking of the partition by one member: a generation. */
function checkGroup(
  partition: number,
  offsets: readonly number[],
  taps: readonly (readonly TapLine[])[],
  problem: (what: string) => void,
): { delivered: number; again: number; terms: number } {
  const terms = new Map<number, Term>()
  for (const [member, lines] of taps.entries()) {
    for (const line of lines) {
      if (line.k === 'note' || line.partition !== partition) continue
      const { generation } = line
      const term = terms.get(generation)
      if (line.k === 'assigned') {
        if (term !== undefined)
          problem(`partition ${partition}: members ${term.member} and ${member} had generation ${generation}`)
        terms.set(generation, { member, from: line.offset, offsets: [] })
      } else if (term?.member !== member) problem(`partition ${partition}: member ${member} had no generation ${generation}`)
      else term.offsets.push(line.offset)
    }
  }
  const at = new Map(offsets.map((offset, index) => [offset, index]))
  const stood = new Uint8Array(offsets.length)
  let delivered = 0
  let again = 0
  // The taking of a partition is known by its generation: later ones are higher.
  for (const [generation, term] of [...terms].toSorted(([a], [b]) => a - b)) {
    const first = offsets.findIndex((offset) => offset >= term.from)
    const start = first === -1 ? offsets.length : first
    const skipped = stood.subarray(0, start).indexOf(0)
    if (skipped !== -1)
      problem(`partition ${partition}: generation ${generation} began at ${term.from}, ${offsets[skipped]} was never had`)
    for (const [i, offset] of term.offsets.entries()) {
      const index = at.get(offset)
      if (index !== start + i)
        problem(`partition ${partition}: generation ${generation} had ${offset}, ${offsets[start + i]} was next`)
      if (index === undefined) continue
      delivered++
      again += stood[index] ?? 0
      stood[index] = 1
    }
  }
  const missed = stood.indexOf(0)
  if (missed !== -1) problem(`partition ${partition}: offset ${offsets[missed]} was never delivered`)
  return { delivered, again, terms: terms.size }
}
