/** Which questions the lag of a group costs on Kafka: asked of a fake control plane and a fake log. */
import { afterEach, expect, test, vi } from 'vitest'
import { SlabBatch } from '../../../src/log/batch.js'
import type { ReadOptions } from '../../../src/log/index.js'
import { kafkaLag } from '../../../src/log/kafka/groups.js'
import { tradeRun } from '../../support/batches.js'

const TOPIC = 'market.crypto.trades.binance'
const SECOND = 1_000_000_000n

afterEach(() => {
  vi.restoreAllMocks()
})

/** Partitions with ten messages each, a second apart; the group has committed the first `committed` of each. */
function cluster(partitions: number, committed: number) {
  const offsetsAsked: string[] = []
  const reads: string[] = []
  const underWay = new Set<number>()
  let underWayMax = 0
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic: `${TOPIC}.batch`, partition }))
  const admin = {
    describeGroups: async () => [{ members: [{ id: 'm', assignment: places }] }],
    committed: async () => places.map((place) => ({ ...place, offset: committed })),
    offsets: async (asked: typeof places) => {
      offsetsAsked.push(...asked.map(({ partition }) => String(partition)))
      return asked.map((place) => ({ ...place, begin: 0, end: 10 }))
    },
  } as unknown as Parameters<typeof kafkaLag>[0]
  const log = {
    async *read({ topics: [topic = ''], partitions: [partition = -1] = [], from }: ReadOptions) {
      const { offset } = from as { offset: number }
      reads.push(`${partition}@${offset}`)
      expect([topic, underWay.has(partition)]).toEqual([TOPIC, false])
      underWay.add(partition)
      underWayMax = Math.max(underWayMax, underWay.size)
      try {
        await new Promise<void>((resolve) => setImmediate(resolve))
        const value = tradeRun(offset + 1, 1, { tsRecv: 1_700_000_000n * SECOND + BigInt(offset) * SECOND })
        yield new SlabBatch(TOPIC, partition, offset, 1, 'batch', value, new Uint8Array(), undefined)
      } finally {
        underWay.delete(partition)
      }
    },
  } as unknown as Parameters<typeof kafkaLag>[1]
  return { admin, log, offsetsAsked, reads, underWayMax: () => underWayMax }
}

test('of named partitions only their offsets are asked for and only their messages are read', async () => {
  const { admin, log, offsetsAsked, reads } = cluster(4, 7)
  const only = [
    { topic: TOPIC, partition: 2 },
    { topic: TOPIC, partition: 9 },
    { topic: 'another', partition: 1 },
  ]
  const lags = await kafkaLag(admin, log, 'g', only)
  expect(lags).toMatchObject([{ topic: TOPIC, partition: 2, owner: 'm', committed: 7, lagMessages: 3, lagMs: 2_000 }])
  expect([offsetsAsked, reads]).toEqual([['2'], ['2@7', '2@9']])
  expect(await kafkaLag(admin, log, 'g')).toHaveLength(4)
})

test('of no partitions nothing is asked', async () => {
  expect(await kafkaLag({} as Parameters<typeof kafkaLag>[0], { read: vi.fn() }, 'g', [])).toEqual([])
})

test('eight reads at a time, one a partition', async () => {
  const { admin, log, reads, underWayMax } = cluster(20, 0)
  const lags = await kafkaLag(admin, log, 'g')
  expect(lags.map(({ lagMs }) => lagMs)).toEqual(Array.from({ length: 20 }, () => 9_000))
  expect([reads.length, underWayMax()]).toEqual([40, 8])
})

test.each([
  [9, 1, ['0@9']],
  [10, 0, []],
])('the group is at %i of 10: one read of what waits is enough', async (committed, lagMessages, expected) => {
  const { admin, log, reads } = cluster(1, committed)
  expect(await kafkaLag(admin, log, 'g')).toMatchObject([{ lagMessages, lagMs: 0 }])
  expect(reads).toEqual(expected)
})

test('a message that does not come in time fails the question, and does not hold it up for ever', async () => {
  const timeout = new AbortController()
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(timeout.signal)
  const { admin } = cluster(1, 0)
  const log = {
    async *read({ signal }: ReadOptions) {
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
      yield* []
    },
  } as unknown as Parameters<typeof kafkaLag>[1]
  const asked = kafkaLag(admin, log, 'g')
  setImmediate(() => timeout.abort())
  await expect(asked).rejects.toThrow(`${TOPIC} partition 0 gave no message at 0 in 10000 ms`)
})
