/** Keeping: damage is stepped over and told, a full disk is a value, retention waits for durable groups, compaction keeps keys. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Hole } from '../../src/log/index.js'
import { tradeRun } from '../support/batches.js'
import { until } from '../support/until.js'
import type { LogFactory, LogUnderTest } from './log.contract.js'

const TOPIC = 'market.crypto.book.kept'
const HOUR_NS = 3_600_000_000_000n
const START = 1_700_000_000_000_000_000n

export function describeKeeping(factory: LogFactory): void {
  let under: LogUnderTest
  beforeEach(async () => {
    under = await factory()
  })
  afterEach(async () => await under.end())

  const offsetsOf = async (topic: string, onHole?: (hole: Hole) => void): Promise<number[]> => {
    const offsets: number[] = []
    for await (const batch of under.log.read({ topics: [topic], ...(onHole === undefined ? {} : { onHole }) }))
      offsets.push(batch.offset)
    return offsets
  }
  const fill = async (
    topic: string,
    messages: number,
    tsRecv: (i: number) => bigint = (i) => START + BigInt(i),
  ): Promise<number[]> => {
    const offsets: number[] = []
    const value = new Uint8Array(4_000)
    for (let i = 0; i < messages; i++) {
      const { status, offset } = await under.log.append(topic, 0, { kind: 'opaque', key: `k${i % 5}`, value, tsRecv: tsRecv(i) })
      expect(status).toBe('ok')
      offsets.push(offset)
    }
    return offsets
  }

  describe('keeping', () => {
    it('a flipped bit is stepped over, and told as a hole; everything else is delivered', async (context) => {
      if (under.flipBit === undefined) {
        console.log('SKIPPED: this engine cannot be damaged by a test')
        return context.skip()
      }
      await under.log.ensureTopic({ name: TOPIC })
      const offsets = await fill(TOPIC, 100)
      await under.flipBit(TOPIC, 0)
      const holes: Hole[] = []
      const read = await offsetsOf(TOPIC, (hole) => holes.push(hole))
      expect(holes.length).toBe(1)
      const [hole] = holes
      expect(hole?.reason).toBe('corruption')
      const inHole = (offset: number): boolean => hole !== undefined && offset >= hole.from && offset < hole.to
      expect(read).toEqual(offsets.filter((offset) => !inHole(offset)))
      expect(offsets.length - read.length).toBe(1)
      console.log(`${read.length} of ${offsets.length} read around offsets ${hole?.from} to ${hole?.to}`)
    })

    it('a full disk is a value, and room brings the appends back', async (context) => {
      const small = await under.onFullDisk?.()
      if (small === undefined) {
        console.log('SKIPPED: no small file system can be made here')
        return context.skip()
      }
      await small.log.ensureTopic({ name: TOPIC, segmentBytes: 65536 })
      const value = new Uint8Array(8_000)
      let acknowledged = 0
      let status = 'ok'
      while (status === 'ok' && acknowledged < 10_000) {
        ;({ status } = await small.log.append(TOPIC, 0, { kind: 'opaque', key: String(acknowledged), value }))
        if (status === 'ok') acknowledged++
      }
      expect(status).toBe('diskFull')
      await small.makeRoom()
      expect((await small.log.append(TOPIC, 0, { kind: 'opaque', key: String(acknowledged), value })).status).toBe('ok')
      let read = 0
      for await (const batch of small.log.read({ topics: [TOPIC] })) {
        expect(batch.key).toBe(String(read))
        read++
      }
      expect(read).toBe(acknowledged + 1)
      console.log(`${acknowledged} acknowledged before the disk was full, ${read} read`)
      await small.end()
    })

    it('retention passes over what a durable group has not committed', async (context) => {
      if (under.keepHouse === undefined) {
        console.log('SKIPPED: this engine keeps its own house')
        return context.skip()
      }
      await under.log.ensureTopic({ name: TOPIC, segmentBytes: 65536, retentionMs: 1_000 })
      const offsets = await fill(TOPIC, 100, (i) => START + BigInt(i) * HOUR_NS)
      let release: () => void = () => {}
      let handled = 0
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      const handler = async (): Promise<void> => {
        if (handled === 20) await held
        handled++
      }
      const consumer = await under.log.consumer({ group: 'd', topics: [TOPIC], durable: true, handler })
      await until('twenty are handled', () => handled === 20)
      await under.keepHouse()
      const kept = await offsetsOf(TOPIC)
      const committed = (await under.log.committed('d', TOPIC, 0)) ?? -1
      expect(kept[0]).toBeLessThanOrEqual(committed)
      expect(kept.length).toBeGreaterThanOrEqual(80)
      release()
      await until('all are handled', () => handled === 100)
      await until('all are committed', () => consumer.lag() === 0)
      await under.keepHouse()
      const left = await offsetsOf(TOPIC)
      expect(left.length).toBeLessThan(40)
      expect(left.at(-1)).toBe(offsets.at(-1))
      expect(left.length).toBeGreaterThan(0)
      await consumer.stop()
      console.log(`${kept.length} of 100 kept for the durable group, ${left.length} after it`)
    })

    it('compaction keeps the newest message of each key', async (context) => {
      if (under.keepHouse === undefined) {
        console.log('SKIPPED: this engine keeps its own house')
        return context.skip()
      }
      await under.log.ensureTopic({ name: TOPIC, segmentBytes: 65536, compact: true })
      const newest = new Map<string, string>()
      for (let i = 0; i < 400; i++) {
        const key = `key${i % 9}`
        const text = `${i} ${'.'.repeat(900)}`
        expect((await under.log.append(TOPIC, 0, { kind: 'opaque', key, value: new TextEncoder().encode(text) })).status).toBe(
          'ok',
        )
        newest.set(key, text)
      }
      await under.keepHouse()
      const found = new Map<string, string>()
      let messages = 0
      for await (const batch of under.log.read({ topics: [TOPIC] })) {
        found.set(batch.key, new TextDecoder().decode(batch.value.slice()))
        messages++
      }
      expect(found).toEqual(newest)
      expect(messages).toBeLessThan(200)
      console.log(`400 messages became ${messages}, ${found.size} keys compared`)
    })

    it('a topic keeps its batches over a segment change', async () => {
      await under.log.ensureTopic({ name: TOPIC, segmentBytes: 65536 })
      for (let i = 0; i < 60; i++) {
        expect((await under.log.append(TOPIC, 0, { kind: 'batch', value: tradeRun(i * 100 + 1, 100) })).status).toBe('ok')
      }
      let records = 0
      for await (const batch of under.log.read({ topics: [TOPIC] })) records += batch.view()?.count ?? 0
      expect(records).toBe(6_000)
    })
  })
}
