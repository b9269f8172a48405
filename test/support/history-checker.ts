/**
 * Proves from tap files and the log that resulted what the log promises over any process death: nothing acknowledged is lost,
 * every record is whole and in order, holes are told, groups resume without a hole and repeat only what they had not
 * committed, dead letters stand once per position, bars equal a batch recomputation. Answers what it counted; what is wrong
 * is a list of sentences.
 */
import { type DeadLetter, Dedup, deadLetterTopic, type Log } from '../../src/log/index.js'
import { verifyLog } from '../../src/native/journal-admin.js'
import { createBarFold } from '../../src/processors/bars/index.js'
import { type BatchView, type Field, fieldsOf } from '../../src/wire/index.js'
import * as suite from './chaos/orders.js'

export interface History {
  readonly problems: readonly string[]
  readonly counted: Readonly<Record<string, number>>
}

interface Message {
  readonly offset: number
  readonly count: number
  /** Indices of trades a handler refuses for good, of those it refuses once, and their bytes. */
  readonly poison: ReadonlyMap<number, Uint8Array>
  readonly shaky: readonly number[]
}

interface Stream {
  /** Every number up to here is a record or stands in a gap. */
  upTo: number
  delivered: number
  inGaps: number
}

const PROBLEMS_MAX = 20

export async function checkHistory(directory: string, log: Log, taps: readonly (readonly suite.TapLine[])[]): Promise<History> {
  const checker = new Checker(log)
  checker.readTaps(taps)
  for (let partition = 0; partition < suite.partitions; partition++) await checker.readPartition(partition)
  checker.checkStreams()
  for (let partition = 0; partition < suite.partitions; partition++) {
    checker.checkGroup(partition, taps)
    await checker.checkDeadLetters(partition)
    await checker.checkBars(partition)
  }
  const verified = await verifyLog(directory)
  const { damageCount, badBatches, repeats, messages } = verified
  checker.expect(damageCount === 0, `verify: ${damageCount} damaged stretches`)
  checker.expect(badBatches === 0, `verify: ${badBatches} bad batches`)
  checker.expect(repeats === 0, `verify: ${repeats} records stand twice`)
  checker.counted.messagesVerified = messages
  return { problems: checker.problems, counted: checker.counted }
}

class Checker {
  readonly problems: string[] = []
  readonly counted = {
    messagesVerified: 0,
    sessions: 0,
    produced: 0,
    acknowledged: 0,
    delivered: 0,
    inGaps: 0,
    trailing: 0,
    batches: 0,
    batchesRepeated: 0,
    assignments: 0,
    deadLetters: 0,
    deadLettersRepeated: 0,
    retried: 0,
    bars: 0,
    barsRepeated: 0,
  }
  readonly #log: Log
  /** By instrument and epoch: rows by seq, from 1. */
  readonly #produced = new Map<string, suite.ProducedRow[]>()
  readonly #acknowledged = new Map<string, number>()
  readonly #streams = new Map<string, Stream>()
  readonly #messages: Message[][] = []

  constructor(log: Log) {
    this.#log = log
  }

  expect(holds: boolean, what: string): void {
    if (!holds && this.problems.length < PROBLEMS_MAX) this.problems.push(what)
  }

  readTaps(taps: readonly (readonly suite.TapLine[])[]): void {
    const highest = new Map<number, number>()
    for (const lines of taps) {
      const pushed = new Map<string, number>()
      for (const line of lines) {
        if (line.k === 'session') {
          this.counted.sessions++
          this.expect(line.epoch > (highest.get(line.shard) ?? 0), `shard ${line.shard} opened epoch ${line.epoch} again`)
          highest.set(line.shard, line.epoch)
        } else if (line.k === 'burst') {
          for (const row of line.rows) {
            const key = `${row[0]}/${line.epoch}`
            const rows = this.#produced.get(key) ?? []
            this.#produced.set(key, rows)
            rows.push(row)
            pushed.set(key, row[1])
            this.counted.produced++
          }
        } else if (line.k === 'ack') {
          for (const [key, seq] of pushed) this.#acknowledged.set(key, seq)
        } else if (line.k === 'hole') {
          this.expect(false, `the consumer met a hole: ${JSON.stringify(line)}`)
        }
      }
    }
    for (const seq of this.#acknowledged.values()) this.counted.acknowledged += seq
  }

  async readPartition(partition: number): Promise<void> {
    const dedup = new Dedup()
    const messages: Message[] = []
    this.#messages.push(messages)
    let end = 0
    for await (const batch of this.#log.read({ topics: [suite.trades], partitions: [partition] })) {
      const view = batch.view()
      this.expect(batch.offset >= end, `partition ${partition}: offset ${batch.offset} comes after ${end}`)
      end = batch.offset + batch.count
      if (view === undefined) {
        this.expect(false, `partition ${partition}/${batch.offset}: no batch`)
        continue
      }
      const poison = new Map<number, Uint8Array>()
      const shaky: number[] = []
      messages.push({ offset: batch.offset, count: batch.count, poison, shaky })
      if (view.name === 'clock') continue
      for (let i = 0; i < view.count; i++) {
        const where = `partition ${partition}/${batch.offset}+${i}`
        this.expect(dedup.accept(view, i), `${where}: a ${view.name} not above the last of its stream`)
        if (view.name === 'gap') this.#gap(view, i, where)
        else if (view.name === 'trade') {
          const id = this.#trade(view, i, where)
          if (suite.isPoison(id)) poison.set(i, view.record(i).slice())
          else if (suite.isShaky(id)) shaky.push(i)
        } else this.expect(false, `${where}: a ${view.name}`)
      }
    }
  }

  #stream(view: BatchView, index: number): { key: string; stream: Stream; seq: number } {
    const fields = fieldsOf(view.name)
    const number = (name: string): number => view.number(fields[name] as Field, index)
    const key = `${number('instrument_id')}/${number('epoch')}`
    const stream = this.#streams.get(key) ?? { upTo: 0, delivered: 0, inGaps: 0 }
    this.#streams.set(key, stream)
    return { key, stream, seq: number('seq') }
  }

  #trade(view: BatchView, index: number, where: string): number {
    const { key, stream, seq } = this.#stream(view, index)
    const fields = fieldsOf('trade')
    const number = (name: string): number => view.number(fields[name] as Field, index)
    this.expect(seq === stream.upTo + 1, `${where}: ${key} goes from ${stream.upTo} to ${seq}, and no gap says so`)
    stream.upTo = seq
    stream.delivered++
    this.counted.delivered++
    const id = number('trade_id')
    const row = this.#produced.get(key)?.[seq - 1]
    const whole = row !== undefined && row[1] === seq && row[2] === id && row[3] === number('price') && row[4] === number('size')
    this.expect(whole, `${where}: ${key} seq ${seq} is not what was produced (${JSON.stringify(row)})`)
    return id
  }

  #gap(view: BatchView, index: number, where: string): void {
    const { key, stream, seq } = this.#stream(view, index)
    const count = view.number(fieldsOf('gap').count as Field, index)
    this.expect(seq === stream.upTo + 1, `${where}: ${key} goes from ${stream.upTo} to a gap at ${seq}`)
    stream.upTo = seq + count - 1
    stream.inGaps += count
    this.counted.inGaps += count
  }

  /** delivered + gaps = produced, up to the end that a kill cut off; never below what was acknowledged. */
  checkStreams(): void {
    for (const [key, rows] of this.#produced) {
      const { upTo, delivered, inGaps } = this.#streams.get(key) ?? { upTo: 0, delivered: 0, inGaps: 0 }
      const acknowledged = this.#acknowledged.get(key) ?? 0
      this.expect(upTo >= acknowledged, `${key}: acknowledged up to ${acknowledged}, the log holds up to ${upTo}`)
      this.expect(delivered + inGaps === upTo && upTo <= rows.length, `${key}: ${delivered} + ${inGaps} of ${rows.length}`)
      this.counted.trailing += rows.length - upTo
    }
    for (const key of this.#streams.keys()) this.expect(this.#produced.has(key), `${key}: nobody produced this stream`)
  }

  /** The group's steps through one partition, in the order its members lived. */
  checkGroup(partition: number, taps: readonly (readonly suite.TapLine[])[]): void {
    const messages = this.#messages[partition] ?? []
    const at = new Map(messages.map((message, index) => [message.offset, index]))
    const stood = new Set<number>()
    const retried = new Set<string>()
    let committed = 0
    let generation = -1
    let next: number | undefined
    for (const line of taps.flat()) {
      if (line.k === 'retried' && line.partition === partition) {
        this.counted.retried++
        retried.add(`${line.offset}/${line.index}`)
      }
      if (!('generation' in line) || line.partition !== partition) continue
      if (line.k === 'committed') committed = Math.max(committed, line.offset)
      else if (line.k === 'assigned') {
        this.counted.assignments++
        const { offset } = line
        this.expect(line.generation > generation, `partition ${partition}: generation ${line.generation} after ${generation}`)
        this.expect(offset >= committed, `partition ${partition}: committed ${committed}, resumed at ${offset}: repeats it`)
        for (const message of messages) {
          if (message.offset >= offset) break
          const isDone = stood.has(message.offset) && message.shaky.every((index) => retried.has(`${message.offset}/${index}`))
          this.expect(isDone, `partition ${partition}: resumed at ${offset}, but ${message.offset} was never done`)
        }
        generation = line.generation
        committed = offset
        const first = messages.findIndex((message) => message.offset + message.count > offset)
        next = first === -1 ? messages.length : first
      } else {
        const index = at.get(line.offset)
        this.expect(line.generation === generation, `partition ${partition}: a batch in generation ${line.generation}`)
        this.expect(index === next, `partition ${partition}: message ${index} (${line.offset}) delivered, ${next} was next`)
        if (stood.has(line.offset)) this.counted.batchesRepeated++
        this.counted.batches++
        stood.add(line.offset)
        next = (index ?? -1) + 1
      }
    }
    const missing = messages.filter((message) => !stood.has(message.offset))
    this.expect(missing.length === 0, `partition ${partition}: ${missing.length} messages were never delivered`)
    const waiting = messages.flatMap(({ offset, shaky }) => shaky.filter((index) => !retried.has(`${offset}/${index}`)))
    this.expect(waiting.length === 0, `partition ${partition}: ${waiting.length} failed records were never tried again`)
  }

  async checkDeadLetters(partition: number): Promise<void> {
    const wanted = new Map<string, string>()
    for (const { offset, poison } of this.#messages[partition] ?? []) {
      for (const [index, bytes] of poison) wanted.set(`${offset}/${index}`, Buffer.from(bytes).toString('base64'))
    }
    const found = new Set<string>()
    const topic = deadLetterTopic(suite.trades)
    if (wanted.size > 0) {
      for await (const batch of this.#log.read({ topics: [topic], partitions: [partition] })) {
        const letter = JSON.parse(new TextDecoder().decode(batch.value.slice())) as DeadLetter
        const position = `${letter.offset}/${letter.index}`
        this.expect(wanted.get(position) === letter.value, `dead letter ${partition}/${position} is not of that record`)
        if (found.has(position)) this.counted.deadLettersRepeated++
        found.add(position)
      }
    }
    this.expect(found.size === wanted.size, `partition ${partition}: ${found.size} dead letters, ${wanted.size} poisoned records`)
    this.counted.deadLetters += found.size
  }

  async checkBars(partition: number): Promise<void> {
    const fold = createBarFold({ intervals: [...suite.barIntervals] })
    const wanted: Uint8Array[] = []
    for await (const batch of this.#log.read({ topics: [suite.trades], partitions: [partition] })) {
      const view = batch.view()
      if (view !== undefined) wanted.push(fold.push(view.bytes, batch.offset).slice())
    }
    const dedup = new Dedup()
    const had: Uint8Array[] = []
    for await (const batch of this.#log.read({ topics: [suite.bars], partitions: [partition] })) {
      const view = batch.view()
      for (let i = 0; view !== undefined && i < view.count; i++) {
        if (dedup.accept(view, i)) had.push(view.record(i).slice())
        else this.counted.barsRepeated++
      }
    }
    const want = Buffer.concat(wanted)
    const have = Buffer.concat(had)
    this.counted.bars += had.length
    this.expect(want.length > 0, `partition ${partition}: no bars to compare`)
    this.expect(
      want.equals(have),
      `partition ${partition}: ${have.length} bytes of bars, a recomputation gives ${want.length} others`,
    )
  }
}
