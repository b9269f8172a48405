/** Groups and their lag, asked from outside: members, who owns what, messages and milliseconds. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lagByExchange } from '../../src/log/index.js'
import { tradeRun } from '../support/batches.js'
import { until } from '../support/until.js'
import type { LogFactory, LogUnderTest } from './log.contract.js'

const TOPIC = 'market.crypto.trades.lagging'
const PARTITIONS = 3
const SECOND = 1_000_000_000n

export function describeLag(factory: LogFactory): void {
  let under: LogUnderTest
  beforeEach(async () => {
    under = await factory()
    await under.log.ensureTopic({ name: TOPIC, partitions: PARTITIONS })
  })
  afterEach(() => under.end())

  const append = async (partition: number, seq: number, seconds: bigint): Promise<void> => {
    const value = tradeRun(seq, 1, { tsRecv: 1_700_000_000n * SECOND + seconds * SECOND })
    expect((await under.log.append(TOPIC, partition, { kind: 'batch', value })).status).toBe('ok')
  }

  describe('groups and lag', () => {
    it('a group that nobody knows has no members and no lag', async () => {
      expect((await under.log.groups()).filter(({ group }) => group === 'nobody')).toEqual([])
      expect(await under.log.lag('nobody')).toEqual([])
    })

    it('members and what they own while they are there; the committed position after they left', async () => {
      const consumer = await under.log.consumer({ group: 'readers', topics: [TOPIC], handler: async () => {} })
      const own = async () => (await under.log.groups()).find(({ group }) => group === 'readers')
      await until('it owns all', async () => (await own())?.members[0]?.partitions.length === PARTITIONS)
      const there = await own()
      expect(there?.members).toHaveLength(1)
      expect(there?.members[0]?.partitions.map(({ topic, partition }) => `${topic}/${partition}`).toSorted()).toEqual(
        [0, 1, 2].map((partition) => `${TOPIC}/${partition}`),
      )
      expect(there?.topics).toEqual([{ topic: TOPIC, partitions: PARTITIONS }])
      await append(1, 1, 0n)
      await until('it is committed', async () => (await under.log.committed('readers', TOPIC, 1)) === 1)
      const owned = (await under.log.lag('readers')).find(({ partition }) => partition === 1)
      expect(owned).toMatchObject({ exchange: 'lagging', owner: there?.members[0]?.id, committed: 1, lagMessages: 0, lagMs: 0 })
      await consumer.stop()
      await until('it has left', async () => (await own())?.members.length === 0)
      expect((await own())?.state).toBe('empty')

      for (const [i, seconds] of [10n, 12n, 15n].entries()) await append(1, 2 + i, seconds)
      const lags = await under.log.lag('readers')
      const behind = lags.find(({ partition }) => partition === 1)
      expect(behind).toMatchObject({ owner: undefined, committed: 1, end: 4, lagMessages: 3, lagMs: 5_000 })
      expect(lagByExchange(lags)).toMatchObject([{ group: 'readers', exchange: 'lagging', lagMessages: 3, lagMs: 5_000 }])
      const only = [1, PARTITIONS].map((partition) => ({ topic: TOPIC, partition }))
      expect(await under.log.lag('readers', only)).toEqual([behind])
      expect(await under.log.lag('readers', [])).toEqual([])
    })
  })
}
