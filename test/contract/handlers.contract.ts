/** What a handler is promised: one batch in flight, results by record, retries by class, dead letters, state. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BusinessError, PoisonRecordError } from '../../src/core/index.js'
import type { Batch, Consumer, ConsumerOptions, DeadLetter, PartitionState } from '../../src/log/index.js'
import { tradeRun } from '../support/batches.js'
import { FakeClock } from '../support/fake-clock.js'
import { until } from '../support/until.js'
import type { LogFactory, LogUnderTest } from './log.contract.js'

const TOPIC = 'market.crypto.trades.handled'

export function describeHandlers(factory: LogFactory): void {
  let under: LogUnderTest
  let clock: FakeClock
  let consumers: Consumer[]
  beforeEach(async () => {
    under = await factory()
    clock = new FakeClock()
    consumers = []
    await under.log.ensureTopic({ name: TOPIC })
  })
  afterEach(async () => {
    for (const consumer of consumers) await consumer.stop()
    await under.end()
  })

  const consume = async (options: Omit<ConsumerOptions, 'group' | 'topics'>): Promise<Consumer> => {
    const consumer = await under.log.consumer({ group: 'h', topics: [TOPIC], clock, random: () => 0, ...options })
    consumers.push(consumer)
    return consumer
  }
  const append = async (messages: number, first = 0): Promise<void> => {
    for (let i = first; i < first + messages; i++) {
      await under.log.append(TOPIC, 0, { kind: 'batch', value: tradeRun(i * 5 + 1, 5) })
    }
  }
  const committed = (): Promise<number | undefined> => under.log.committed('h', TOPIC, 0)
  const end = async (): Promise<number> => (await under.log.describe(TOPIC, 0))?.endOffset ?? -1
  const letters = async (): Promise<DeadLetter[]> => {
    const found: DeadLetter[] = []
    if (!(await under.log.topics()).some((topic) => topic.name === `${TOPIC}.dlq`)) return found
    for await (const batch of under.log.read({ topics: [`${TOPIC}.dlq`] })) {
      found.push(JSON.parse(new TextDecoder().decode(batch.value.slice())) as DeadLetter)
    }
    return found
  }
  /** Moves the clock until the condition holds. */
  const advanceUntil = async (what: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
    await until(what, async () => {
      if (clock.timers > 0) await clock.advance(clock.nextDelayMs ?? 0)
      return await condition()
    })
  }

  describe('handlers', () => {
    it('one batch per partition is in flight, and the position is committed after it', async () => {
      let inFlight = 0
      let highest = 0
      const releases: (() => void)[] = []
      await consume({
        handler: async () => {
          inFlight++
          highest = Math.max(highest, inFlight)
          await new Promise<void>((resolve) => releases.push(resolve))
          inFlight--
        },
      })
      await append(3)
      const offsets: (number | undefined)[] = []
      for (let i = 0; i < 3; i++) {
        await until('a batch is in flight', () => releases.length === i + 1)
        offsets.push(await committed())
        releases[i]?.()
      }
      await until('all is committed', async () => (await committed()) === (await end()))
      expect(highest).toBe(1)
      expect(offsets[0]).toBe(0)
      expect(offsets[2]).toBeGreaterThan(offsets[1] ?? 0)
    })

    it('a failed record is retried off the loop; the committed position waits before it, the rest of the batch stands', async () => {
      const calls: { offset: number; attempt: number; only: readonly number[] | undefined }[] = []
      const consumer = await consume({
        handler: async (batch, { attempt, only }) => {
          calls.push({ offset: batch.offset, attempt, only })
          if (batch.view()?.message !== undefined && calls.length === 2)
            return { failed: [{ index: 3, error: new BusinessError('not now') }] }
          return undefined
        },
      })
      await append(4)
      await until('the loop went on', () => calls.length === 4)
      const second = calls[1]?.offset
      expect(await committed()).toBe(second)
      expect(consumer.assigned[0]?.retriesWaiting).toBe(1)
      await advanceUntil('the retry', () => calls.length === 5)
      expect(calls[4]).toEqual({ offset: second, attempt: 1, only: [3] })
      await until('all is committed', async () => (await committed()) === (await end()))
      expect(await letters()).toEqual([])
    })

    it('a poison record is dead-lettered at once, with its position, reason, attempts and correlation id', async () => {
      await consume({
        handler: async (_, { attempt }) =>
          attempt > 0 ? undefined : { failed: [{ index: 2, error: new PoisonRecordError('bad price') }] },
      })
      await append(1)
      await until('all is committed', async () => (await committed()) === (await end()))
      const [letter, ...others] = await letters()
      expect(others).toEqual([])
      expect(letter).toMatchObject({ topic: TOPIC, partition: 0, offset: 0, index: 2, log: under.log.id, group: 'h' })
      expect(letter).toMatchObject({ reasonClass: 'POISON', attempts: 1, correlationId: `${TOPIC}/0@0` })
      expect(letter?.reason).toContain('bad price')
      expect(Buffer.from(letter?.value ?? '', 'base64').length).toBe(64)
    })

    it('a record that keeps failing is dead-lettered when its class gives up', async () => {
      let attempts = 0
      const consumer = await consume({
        handler: async (_, { attempt }) => {
          attempts = Math.max(attempts, attempt)
          return { failed: [{ index: 0, error: new BusinessError('never') }] }
        },
      })
      await append(1)
      await advanceUntil('it is given up', () => consumer.counters.deadLetters === 1)
      expect(attempts).toBe(2)
      expect((await letters())[0]).toMatchObject({ reasonClass: 'BUSINESS', attempts: 3, index: 0 })
      await until('all is committed', async () => (await committed()) === (await end()))
    })

    it('ordered: the partition waits for the retry, and nothing overtakes', async () => {
      const order: string[] = []
      await consume({
        ordered: true,
        handler: async (batch, { attempt }) => {
          order.push(`${batch.offset}#${attempt}`)
          return order.length === 1 ? { failed: [{ index: 0, error: new BusinessError('later') }] } : undefined
        },
      })
      await append(3)
      await until('it waits', () => clock.timers === 1)
      expect(order.length).toBe(1)
      await advanceUntil('all three', () => order.length === 4)
      const [first, retried, second, third] = order.map((each) => each.split('#'))
      expect(first?.[0]).toBe(retried?.[0])
      expect([retried?.[1], second?.[1], third?.[1]]).toEqual(['1', '0', '0'])
      await until('all is committed', async () => (await committed()) === (await end()))
    })

    it('a partition pauses when too many records wait', async () => {
      let batches = 0
      const consumer = await consume({
        retriesWaitingMax: 3,
        handler: async (_, { attempt }) => {
          if (attempt > 0) return undefined
          batches++
          return { failed: [{ index: 0, error: new BusinessError('wait') }] }
        },
      })
      await append(10)
      await until('it pauses', () => consumer.assigned[0]?.paused === true)
      expect(batches).toBe(3)
      await advanceUntil('it goes on to the end', async () => (await committed()) === (await end()))
      expect(batches).toBe(10)
    })

    it('a handler that throws pauses its partition, and its batch is repeated, then dead-lettered whole', async () => {
      let calls = 0
      const consumer = await consume({
        handler: async () => {
          calls++
          if (calls <= 2) throw new BusinessError('database away')
        },
      })
      await append(1)
      await advanceUntil('it is handled', async () => (await committed()) === (await end()))
      expect(calls).toBe(3)
      expect(consumer.counters.handlerErrors).toBe(2)
      expect(await letters()).toEqual([])
    })

    it('copy() outlives the handler', async () => {
      const copies: Batch[] = []
      await consume({ handler: async (batch) => void copies.push(batch.copy()) })
      await append(600)
      await until('all came', () => copies.length === 600)
      const expected = (i: number): Buffer => Buffer.from(tradeRun(i * 5 + 1, 5))
      let compared = 0
      for (const [i, copy] of copies.entries()) {
        const records = copy.view()?.bytes
        expect(Buffer.from(records ?? []).equals(expected(i).subarray(-5 * 64))).toBe(true)
        compared++
      }
      console.log(`compared ${compared} copies`)
    })

    it('state comes back to the next owner, whole, and an older one does not replace it', async () => {
      let state: PartitionState | undefined
      const first = await consume({
        handler: async () => {},
        onAssigned: (context) => {
          state = context.state
        },
      })
      await until('assigned', () => state !== undefined)
      const bytes = new Uint8Array(100_000).map((_, i) => i * 7)
      expect(await state?.load()).toBeUndefined()
      expect(await state?.save({ bytes: bytes.subarray(0, 10), meta: 1 })).toBe('ok')
      expect(await state?.save({ bytes, meta: { position: 5 } })).toBe('ok')
      const old = state
      await first.stop()
      expect(await old?.save({ bytes: new Uint8Array(1), meta: 'late' })).toBe('fenced')
      state = undefined
      await consume({
        handler: async () => {},
        onAssigned: (context) => {
          state = context.state
        },
      })
      await until('assigned again', () => state !== undefined)
      const loaded = await (state as PartitionState | undefined)?.load()
      expect(loaded?.meta).toEqual({ position: 5 })
      expect(Buffer.from(loaded?.bytes ?? []).equals(Buffer.from(bytes))).toBe(true)
      expect(await (state as PartitionState | undefined)?.save({ bytes: new Uint8Array([1]), meta: 'next' })).toBe('ok')
      expect((await under.log.state('h', TOPIC, 0))?.meta).toBe('next')
    })
  })
}
