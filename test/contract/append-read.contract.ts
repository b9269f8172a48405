/** Append, read, seek, follow, from one process and from several. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Batch, ReadOptions } from '../../src/log/index.js'
import { fieldsOf } from '../../src/wire/index.js'
import { tradeRun } from '../support/batches.js'
import { until } from '../support/until.js'
import type { LogFactory, LogUnderTest } from './log.contract.js'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const TOPIC = 'market.crypto.trades.test'
const FIRST_TIME = 1_700_000_000_000_000_000n

export async function readAll(under: LogUnderTest, options: ReadOptions): Promise<Batch[]> {
  const batches: Batch[] = []
  for await (const batch of under.log.read(options)) batches.push(batch.copy())
  return batches
}

export function describeAppendAndRead(factory: LogFactory): void {
  let under: LogUnderTest
  beforeEach(async () => {
    under = await factory()
    await under.log.ensureTopic({ name: TOPIC, partitions: 3, segmentBytes: 65536 })
  })
  afterEach(async () => await under.end())

  /** Messages of 10 trades, seq 1, 11, 21…; ts_recv 1 ms apart. */
  const appendTrades = async (messages: number): Promise<number[]> => {
    const offsets: number[] = []
    for (let i = 0; i < messages; i++) {
      const { status, offset } = await under.log.append(TOPIC, 0, { kind: 'batch', value: tradeRun(i * 10 + 1, 10) })
      expect(status).toBe('ok')
      offsets.push(offset)
    }
    return offsets
  }
  const firstSeq = (batch: Batch): number => {
    const view = batch.view()
    const field = fieldsOf('trade').seq
    return view === undefined || field === undefined ? -1 : view.number(field, 0)
  }

  describe('append and read', () => {
    it('gives back what was appended, in order, byte for byte', async () => {
      const values = Array.from({ length: 500 }, (_, i) => text(`${i} ${'x'.repeat(i % 97)}`))
      let last = -1
      for (const [i, value] of values.entries()) {
        const { status, offset } = await under.log.append(TOPIC, 1, { kind: 'opaque', key: `k${i % 7}`, value })
        expect(status).toBe('ok')
        expect(offset).toBeGreaterThan(last)
        last = offset
      }
      const batches = await readAll(under, { topics: [TOPIC] })
      expect(batches.length).toBe(500)
      for (const [i, batch] of batches.entries()) {
        expect([batch.partition, batch.kind, batch.key]).toEqual([1, 'opaque', `k${i % 7}`])
        expect(Buffer.from(batch.value).equals(values[i] ?? text(''))).toBe(true)
      }
      console.log(`compared ${batches.length} messages`)
    })

    it('carries batches whose records can be read in place, and messages too large for a cell', async () => {
      await appendTrades(5)
      await under.log.append(TOPIC, 0, { kind: 'opaque', value: text('between') })
      const [first, ...others] = await readAll(under, { topics: [TOPIC], partitions: [0] })
      expect(first?.view()?.name).toBe('trade')
      expect(first?.view()?.count).toBe(10)
      expect(others.map(firstSeq)).toEqual([11, 21, 31, 41, -1])
      const large = 'market.crypto.raw.test'
      await under.log.ensureTopic({ name: large, segmentBytes: 4 << 20 })
      const value = new Uint8Array(1_000_003).map((_, i) => i * 31)
      expect((await under.log.append(large, 0, { kind: 'opaque', key: 'big', value })).status).toBe('ok')
      const [big] = await readAll(under, { topics: [large] })
      expect(big?.key).toBe('big')
      expect(Buffer.from(big?.value ?? []).equals(Buffer.from(value))).toBe(true)
    })

    it('refuses as values', async () => {
      expect((await under.log.append('market.crypto.trades.nowhere', 0, { kind: 'opaque', value: text('x') })).status).toBe(
        'notFound',
      )
      expect((await under.log.append(TOPIC, 99, { kind: 'opaque', value: text('x') })).status).not.toBe('ok')
      expect((await under.log.append(TOPIC, 0, { kind: 'batch', value: text('this is no batch') })).status).toBe('invalid')
      expect((await under.log.append(TOPIC, 0, { kind: 'opaque', value: new Uint8Array(1 << 20) })).status).toBe('tooLarge')
      expect(await readAll(under, { topics: [TOPIC] })).toEqual([])
    })

    it('lists topics, and keeps a position and an identity over another opening', async () => {
      await appendTrades(2)
      const other = await under.again()
      expect(other.id).toBe(under.log.id)
      expect((await other.topics()).find((topic) => topic.name === TOPIC)?.partitions).toBe(3)
      const end = (await other.describe(TOPIC, 0))?.endOffset
      const { offset } = await other.append(TOPIC, 0, { kind: 'batch', value: tradeRun(21, 10) })
      expect(offset).toBe(end)
      await other.close()
      expect((await readAll(under, { topics: [TOPIC] })).map(firstSeq)).toEqual([1, 11, 21])
    })
  })

  describe('seek', () => {
    it('by offset, begin and end', async () => {
      const offsets = await appendTrades(20)
      const at = (i: number): number => offsets[i] ?? -1
      const from = async (options: Partial<ReadOptions>): Promise<number[]> =>
        (await readAll(under, { topics: [TOPIC], partitions: [0], ...options })).map((batch) => batch.offset)
      expect(await from({ from: 'begin' })).toEqual(offsets)
      expect(await from({ from: 'end' })).toEqual([])
      expect(await from({ from: { offset: at(7) } })).toEqual(offsets.slice(7))
      expect(await from({ from: { offset: at(7) }, to: { offset: at(9) } })).toEqual(offsets.slice(7, 9))
    })

    it('by time: nothing at or after it is missed', async () => {
      await appendTrades(200)
      for (const seq of [1, 2, 10, 11, 995, 1999, 2000]) {
        const time = FIRST_TIME + BigInt(seq) * 1_000_000n
        const [first] = await readAll(under, { topics: [TOPIC], partitions: [0], from: { time } })
        expect(firstSeq(first as Batch)).toBe(Math.floor((seq - 1) / 10) * 10 + 1)
      }
      const late = await readAll(under, { topics: [TOPIC], partitions: [0], from: { time: FIRST_TIME * 2n } })
      expect(late).toEqual([])
    })

    it('by (epoch, seq): the first message holds it', async () => {
      await appendTrades(200)
      const epoch = 1_700_000_000
      for (const seq of [1, 10, 11, 1234, 2000]) {
        const [first] = await readAll(under, { topics: [TOPIC], partitions: [0], from: { epoch, seq } })
        expect(firstSeq(first as Batch)).toBe(Math.floor((seq - 1) / 10) * 10 + 1)
      }
      expect(await readAll(under, { topics: [TOPIC], partitions: [0], from: { epoch: epoch + 1, seq: 1 } })).toEqual([])
    })
  })

  describe('follow', () => {
    it('delivers what is appended later, until the signal', async () => {
      await appendTrades(2)
      const stop = new AbortController()
      const seen: number[] = []
      const reading = (async () => {
        for await (const batch of under.log.read({ topics: [TOPIC], follow: true, signal: stop.signal }))
          seen.push(firstSeq(batch))
      })()
      await until('the first two', () => seen.length === 2)
      await under.log.append(TOPIC, 0, { kind: 'batch', value: tradeRun(21, 10) })
      await until('the third', () => seen.length === 3)
      stop.abort()
      await reading
      expect(seen).toEqual([1, 11, 21])
    })

    it('sees every message of three processes that append to one partition, each in its order', async () => {
      const count = 2_000
      const tags = ['a', 'b', 'c']
      const next = new Map<string, number>()
      let total = 0
      const stop = new AbortController()
      const offsets = new Set<number>()
      const reading = (async () => {
        for await (const batch of under.log.read({ topics: [TOPIC], partitions: [2], follow: true, signal: stop.signal })) {
          const [tag = '', number] = new TextDecoder().decode(batch.value.slice()).split(':')
          expect(Number(number)).toBe(next.get(tag) ?? 0)
          expect(batch.key).toBe(tag)
          next.set(tag, Number(number) + 1)
          offsets.add(batch.offset)
          total++
        }
      })()
      const writers = await Promise.all(
        tags.map((tag) => under.start({ role: 'append', topic: TOPIC, partition: 2, tag, count })),
      )
      await until('all appended', () => writers.every((writer) => writer.of('appended').length === 1), 25_000)
      await until('all read', () => total === count * tags.length)
      stop.abort()
      await reading
      const acknowledged = writers.flatMap((writer) => writer.of('appended').flatMap((each) => each.offsets))
      expect(acknowledged.length).toBe(count * tags.length)
      expect(acknowledged.filter((offset) => !offsets.has(offset))).toEqual([])
      console.log(`${total} messages of ${tags.length} processes followed in order`)
    })
  })
}
