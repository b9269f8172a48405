/** Groups: join, leave, kill, SIGSTOP then SIGCONT; never two owners in one generation; order kept. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Batch, Dedup } from '../../src/log/index.js'
import { fieldsOf } from '../../src/wire/index.js'
import { tradeRun } from '../support/batches.js'
import type { LogProcess } from '../support/log-processes.js'
import { until } from '../support/until.js'
import type { ConsumeOrders, LogFactory, LogUnderTest } from './log.contract.js'

const TOPIC = 'market.crypto.quotes.test'
const PARTITIONS = 4
const HUNG_MS = 1_000

export function describeGroups(factory: LogFactory): void {
  let under: LogUnderTest
  let processes: LogProcess[]
  let appended: number

  beforeEach(async () => {
    under = await factory()
    processes = []
    appended = 0
    await under.log.ensureTopic({ name: TOPIC, partitions: PARTITIONS })
    await under.log.ensureTopic({ name: `${TOPIC}.out` })
  })
  afterEach(async () => {
    for (const each of processes) {
      each.kill('SIGCONT')
      each.kill('SIGKILL')
    }
    await Promise.all(processes.map((each) => each.exited))
    await under.end()
  })

  const join = async (orders: Partial<ConsumeOrders> = {}): Promise<LogProcess> => {
    const member = await under.start({
      role: 'consume',
      group: 'g',
      topics: [TOPIC],
      heartbeatMs: 50,
      hungMs: HUNG_MS,
      ...orders,
    })
    processes.push(member)
    await until('the member is ready', () => member.of('ready').length === 1)
    return member
  }
  const append = async (rounds: number): Promise<void> => {
    for (let i = 0; i < rounds; i++) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const value = new TextEncoder().encode(String(appended))
        const { status } = await under.log.append(TOPIC, partition, { kind: 'opaque', key: String(appended), value })
        expect(status).toBe('ok')
      }
      appended++
    }
  }
  const owned = (member: LogProcess): number[] => {
    const partitions = new Set<number>()
    for (const report of member.reports) {
      if (report.kind === 'assigned') partitions.add(report.partition)
      if (report.kind === 'revoked') partitions.delete(report.partition)
    }
    return [...partitions].sort()
  }
  const committedAll = async (): Promise<boolean> => {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const end = (await under.log.describe(TOPIC, partition))?.endOffset
      if ((await under.log.committed('g', TOPIC, partition)) !== end) return false
    }
    return true
  }
  /** Every message was handled; within one owner's time in order; never two owners in one generation. */
  const checkHistory = (): number => {
    const owners = new Map<string, LogProcess>()
    const seen = new Set<string>()
    let compared = 0
    for (const member of processes) {
      const last = new Map<string, number>()
      for (const { partition, generation, offset, key } of member.of('batch')) {
        const term = `${partition}/${generation}`
        expect(owners.get(term) ?? member, `two owners of ${term}`).toBe(member)
        owners.set(term, member)
        expect(offset).toBeGreaterThan(last.get(term) ?? -1)
        last.set(term, offset)
        seen.add(`${partition}/${key}`)
        compared++
      }
    }
    expect(seen.size).toBe(appended * PARTITIONS)
    return compared
  }

  describe('groups', () => {
    it('one member owns all; a second takes its share; who leaves gives back', async () => {
      const first = await join()
      await append(50)
      await until('the first owns all', () => owned(first).length === PARTITIONS)
      const second = await join()
      await until('they share', () => owned(first).length === 2 && owned(second).length === 2)
      await append(50)
      second.order('stop')
      await second.exited
      await until('the first has all again', () => owned(first).length === PARTITIONS)
      await append(50)
      await until('all is committed', committedAll)
      first.order('stop')
      await first.exited
      const compared = checkHistory()
      expect(compared, 'a clean move repeats nothing').toBe(appended * PARTITIONS)
      console.log(`compared ${compared} deliveries`)
    })

    it('a killed member is replaced in time, and nothing is skipped', async () => {
      const first = await join()
      const second = await join()
      await until('they share', () => owned(first).length === 2 && owned(second).length === 2)
      await append(100)
      await until('the second works', () => second.of('batch').length > 10)
      const killedAt = Date.now()
      second.kill('SIGKILL')
      await until('the first owns all', () => owned(first).length === PARTITIONS)
      const tookMs = Date.now() - killedAt
      expect(tookMs).toBeLessThan(under.replacedWithinMs)
      await append(100)
      await until('all is committed', committedAll)
      first.order('stop')
      await first.exited
      console.log(`replaced after ${tookMs} ms; compared ${checkHistory()} deliveries`)
    })

    it('a zombie (SIGSTOP, then SIGCONT) is replaced; its commit and state writes are refused; what it appends is dropped', async () => {
      const zombie = await join({ holdAfter: 0 })
      await until('the zombie owns all', () => owned(zombie).length === PARTITIONS)
      await append(1)
      await until('it holds a batch of each partition', () => zombie.of('handling').length === PARTITIONS)
      zombie.kill('SIGSTOP')
      const successor = await join()
      await until('the successor owns all', () => owned(successor).length === PARTITIONS)
      await append(20)
      await until('all is committed', committedAll)
      // The successor's derived records, before the zombie's own of the same (epoch, seq).
      await under.log.append(`${TOPIC}.out`, 0, { kind: 'batch', value: tradeRun(1, 5) })
      zombie.kill('SIGCONT')
      zombie.order('go')
      await until('the zombie reports', () => zombie.of('zombie').length === 1)
      expect(zombie.of('zombie')[0]).toMatchObject({ state: 'fenced', appended: 'ok' })
      expect(await committedAll(), 'the zombie moved nothing').toBe(true)
      for (let partition = 0; partition < PARTITIONS; partition++) {
        expect(await under.log.state('g', TOPIC, partition)).toBeUndefined()
      }
      const dedup = new Dedup()
      const prices: number[] = []
      let dropped = 0
      for await (const batch of under.log.read({ topics: [`${TOPIC}.out`] })) {
        const view = batch.view()
        const price = fieldsOf('trade').price
        if (view === undefined || price === undefined) continue
        for (let i = 0; i < view.count; i++) {
          if (dedup.accept(view, i)) prices.push(view.number(price, i))
          else dropped++
        }
      }
      expect(prices).toEqual([100, 200, 300, 400, 500])
      expect(dropped).toBe(3)
      // It joins again as a new member and takes its share.
      await until('the zombie is a member again', () => owned(successor).length === 2 && owned(zombie).length === 2)
      checkHistory()
    })

    it('two groups do not see each other', async () => {
      await append(10)
      const seen = new Map<string, number>()
      const consumers = await Promise.all(
        ['one', 'two'].map((group) => {
          const handler = async (_: Batch): Promise<void> => void seen.set(group, (seen.get(group) ?? 0) + 1)
          return under.log.consumer({ group, topics: [TOPIC], handler })
        }),
      )
      await until('both have all', () => seen.get('one') === 10 * PARTITIONS && seen.get('two') === 10 * PARTITIONS)
      expect(consumers.map((consumer) => consumer.lag())).toEqual([0, 0])
      for (const consumer of consumers) await consumer.stop()
    })
  })
}
