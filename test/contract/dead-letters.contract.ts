/** Dead letters on any engine: what cannot be read is buried, a redrive is handled once in effect, by the group that failed it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BusinessError, PoisonRecordError } from '../../src/core/index.js'
import {
  type Consumer,
  type ConsumerOptions,
  type DeadLetterEntry,
  readDeadLetters,
  requestRedrive,
} from '../../src/log/index.js'
import { eventId } from '../../src/wire/index.js'
import { tradeRun } from '../support/batches.js'
import type { LogProcess } from '../support/log-processes.js'
import { until } from '../support/until.js'
import type { ConsumeOrders, LogFactory, LogUnderTest } from './log.contract.js'

const TOPIC = 'market.crypto.trades.letters'
const PARTITIONS = 2
const RECORDS = 5
const fast = { retriesMax: 1, delayMsMin: 1, delayMsMax: 1 }

export function describeDeadLetters(factory: LogFactory): void {
  let under: LogUnderTest
  let processes: LogProcess[]
  let consumers: Consumer[]
  beforeEach(async () => {
    under = await factory()
    processes = []
    consumers = []
    await under.log.ensureTopic({ name: TOPIC, partitions: PARTITIONS })
  })
  afterEach(async () => {
    for (const consumer of consumers) await consumer.stop()
    for (const each of processes) each.kill('SIGKILL')
    await Promise.all(processes.map((each) => each.exited))
    await under.end()
  })

  const consume = async (options: Omit<ConsumerOptions, 'group' | 'topics'>, group = 'g'): Promise<Consumer> => {
    const consumer = await under.log.consumer({ group, topics: [TOPIC], retryPolicies: { BUSINESS: fast }, ...options })
    consumers.push(consumer)
    return consumer
  }
  const append = async (partition: number, messages: number): Promise<void> => {
    for (let i = 0; i < messages; i++) {
      const value = tradeRun(i * RECORDS + 1, RECORDS, { instrument: partition + 1 })
      expect((await under.log.append(TOPIC, partition, { kind: 'batch', value })).status).toBe('ok')
    }
  }
  const committedAll = async (group = 'g'): Promise<boolean> => {
    const lags = await under.log.lag(group)
    return lags.length >= PARTITIONS && lags.every(({ lagMessages }) => lagMessages === 0)
  }
  const letters = (): Promise<DeadLetterEntry[]> => readDeadLetters(under.log, { topics: [TOPIC] })
  const all = (entries: readonly DeadLetterEntry[], state: string): boolean => entries.every((entry) => entry.state === state)

  /** A handler whose effect is keyed by event id, as a database's would be; `calls` counts what it was given. */
  const effects = (fails: (id: string) => Error | undefined) => {
    const effect = new Map<string, number>()
    const calls = new Map<string, number>()
    const handler: ConsumerOptions['handler'] = async (batch, { only, redrive }) => {
      const view = batch.view()
      if (view === undefined) throw new Error('a batch that cannot be read came to the handler')
      const failed = []
      for (const index of only ?? Array.from({ length: view.count }, (_, i) => i)) {
        const id = eventId(view, index) ?? ''
        if (redrive !== undefined) expect(redrive.eventId).toBe(id)
        calls.set(id, (calls.get(id) ?? 0) + 1)
        const error = fails(id)
        if (error !== undefined) failed.push({ index, error })
        else effect.set(id, (effect.get(id) ?? 0) + 1)
      }
      return failed.length === 0 ? undefined : { failed }
    }
    return { effect, calls, handler }
  }
  const ids = (partition: number, messages: number): string[] =>
    Array.from({ length: messages * RECORDS }, (_, i) => `t-${partition + 1}-0-1700000000-${i + 1}`)

  describe('dead letters', () => {
    it('poison and passing failures: after the fix a redrive, asked for twice, gives every record its effect once', async () => {
      let isFixed = false
      const poison = new Set(['t-1-0-1700000000-3', 't-1-0-1700000000-8', 't-2-0-1700000000-1'])
      const passing = new Set(['t-1-0-1700000000-6', 't-2-0-1700000000-10'])
      const good = effects((id) => {
        if (isFixed) return undefined
        if (poison.has(id)) return new PoisonRecordError('bad price')
        return passing.has(id) ? new BusinessError('not listed yet') : undefined
      })
      const other = effects(() => undefined)
      const consumer = await consume({ handler: good.handler })
      await consume({ handler: other.handler }, 'other')
      for (let partition = 0; partition < PARTITIONS; partition++) await append(partition, 4)
      await until('all committed', async () => (await committedAll()) && (await committedAll('other')))
      const dead = await letters()
      expect(dead.map(({ letter }) => letter.eventId).toSorted()).toEqual([...poison, ...passing].toSorted())
      expect(all(dead, 'dead')).toBe(true)
      for (const { letter } of dead) {
        const isPoison = poison.has(letter.eventId ?? '')
        expect(letter).toMatchObject({ reasonClass: isPoison ? 'POISON' : 'BUSINESS', attempts: isPoison ? 1 : 2, redrives: 0 })
        expect(letter.replay).toEqual({ canReplay: true, requiresReview: isPoison, suggestedDelayS: isPoison ? 0 : 3_600 })
      }
      isFixed = true
      // The first run of the command was killed in between; the second asks for all.
      expect(await requestRedrive(under.log, dead.slice(0, 2), 1n)).toBe(2)
      expect(await requestRedrive(under.log, dead, 2n)).toBe(dead.length)
      await until('all redriven', async () => all(await letters(), 'redriven'))
      expect(consumer.counters).toMatchObject({ redriven: dead.length, deadLetters: dead.length })
      // Asked for once more by somebody who has not looked: what stands is not tried again, by this owner or the next.
      await requestRedrive(under.log, dead, 3n)
      await consumer.stop()
      const next = await consume({ handler: good.handler })
      const late = [0, 1].map((partition) => `t-${partition + 1}-0-1700000000-21`)
      isFixed = false
      for (const id of late) poison.add(id)
      for (const partition of [0, 1]) {
        const value = tradeRun(4 * RECORDS + 1, 1, { instrument: partition + 1 })
        await under.log.append(TOPIC, partition, { kind: 'batch', value })
      }
      await until('two more are dead', async () => (await letters()).filter(({ state }) => state === 'dead').length === 2)
      isFixed = true
      await requestRedrive(under.log, await letters(), 4n)
      await until('these are redriven', async () => all(await letters(), 'redriven'))
      expect(next.counters.redriven).toBe(2)
      await until('the other group has all', async () => await committedAll('other'))
      expect([...good.effect.keys()].toSorted()).toEqual([...ids(0, 4), ...ids(1, 4), ...late].toSorted())
      expect(good.effect.size).toBe(2 * (4 * RECORDS + 1))
      // What was dead had no effect before, and one after; the other group never saw it again.
      for (const id of [...poison, ...passing]) {
        expect([id, good.effect.get(id), other.calls.get(id)]).toEqual([id, 1, 1])
      }
      expect([...good.effect.values()].every((times) => times === 1)).toBe(true)
    })

    it('an owner that is killed between the handler and the mark: the next one repeats it, and marks it', async () => {
      const orders: ConsumeOrders = {
        role: 'consume',
        group: 'g',
        topics: [TOPIC],
        heartbeatMs: 50,
        hungMs: 1_000,
        poison: 'bad',
      }
      const start = async (more: Partial<ConsumeOrders>): Promise<LogProcess> => {
        const member = await under.start({ ...orders, ...more })
        processes.push(member)
        await until('the member is ready', () => member.of('ready').length === 1)
        return member
      }
      const first = await start({ holdRedriven: true })
      for (const key of ['good', 'bad', 'good']) {
        await under.log.append(TOPIC, 0, { kind: 'opaque', key, value: new TextEncoder().encode(key) })
      }
      await until('it is dead', async () => (await letters()).length === 1)
      const dead = await letters()
      expect(dead[0]).toMatchObject({ state: 'dead', letter: { key: 'bad', messageKind: 'opaque', reasonClass: 'POISON' } })
      await requestRedrive(under.log, dead, 1n)
      await until('the handler has it', () => first.of('redrive').length === 1)
      first.kill('SIGKILL')
      await first.exited
      expect(await letters()).toMatchObject([{ state: 'requested' }])
      const second = await start({})
      await until('the next owner marks it', async () => (await letters())[0]?.state === 'redriven')
      expect(second.of('redrive')).toEqual([{ kind: 'redrive', id: dead[0]?.id }])
    })

    it('a redrive that fails is a new death of the same letter, and can be redriven again', async () => {
      let failures = 0
      const target = 't-1-0-1700000000-2'
      const { effect, handler } = effects((id) =>
        id === target && failures++ < 2 ? new PoisonRecordError('still bad') : undefined,
      )
      await consume({ handler })
      await append(0, 1)
      await until('it is dead', async () => (await letters()).length === 1)
      await requestRedrive(under.log, await letters(), 1n)
      await until('it is dead again', async () => (await letters())[0]?.letter.redrives === 1)
      expect((await letters()).map(({ state }) => state)).toEqual(['dead'])
      expect(effect.get(target)).toBeUndefined()
      await requestRedrive(under.log, await letters(), 2n)
      await until('it stood', async () => (await letters())[0]?.state === 'redriven')
      expect(effect.get(target)).toBe(1)
    })

    it('a redriven record that fails in passing is retried by its class, and what is behind it is not held up', async () => {
      const target = 't-1-0-1700000000-2'
      let failures = 0
      const { effect, calls, handler } = effects((id) => {
        return id === target && failures++ < 3 ? new BusinessError('not yet') : undefined
      })
      await consume({ handler })
      await append(0, 1)
      await until('it is dead', async () => (await letters()).length === 1)
      await requestRedrive(under.log, await letters(), 1n)
      await append(1, 3)
      await until('it stood', async () => (await letters())[0]?.state === 'redriven')
      await until('the rest, too', () => effect.size === 4 * RECORDS)
      // Two calls before it died, two after.
      expect([calls.get(target), effect.get(target)]).toEqual([4, 1])
    })

    it('a batch that cannot be read does not reach the handler, is a dead letter, and the partition goes on', async ({
      skip,
    }) => {
      if (under.appendForeign === undefined) return skip('this engine refuses a batch that cannot be read when it is appended')
      const { effect, handler } = effects(() => undefined)
      const consumer = await consume({ handler })
      await append(0, 1)
      await under.appendForeign(TOPIC, 0, new TextEncoder().encode('{"price": "somebody else made this"}'))
      await append(0, 1)
      await until('all committed', async () => (await committedAll()) && effect.size === RECORDS)
      const [entry, ...more] = await letters()
      expect(more).toEqual([])
      expect(entry?.letter).toMatchObject({ reasonClass: 'POISON', index: 0, attempts: 1, messageKind: 'batch' })
      expect(entry?.letter.reason).toContain('the batch cannot be read')
      expect(consumer.counters).toMatchObject({ undecodable: 1, deadLetters: 1 })
      expect([...effect.values()], 'before it and behind it').toEqual(Array.from({ length: RECORDS }, () => 2))
    })
  })
}
