import { expect, test } from 'vitest'
import { Metrics } from '../../../src/core/metrics.js'
import type { AssignedPartition, PartitionLag } from '../../../src/log/index.js'
import { LagMetrics } from '../../../src/services/lag-metrics.js'
import { FakeClock, settle } from '../../support/fake-clock.js'

const TOPIC = 'market.crypto.trades.binance'
const owned = (...partitions: number[]): { assigned: readonly AssignedPartition[] } => ({
  assigned: partitions.map((partition) => {
    return { topic: TOPIC, partition, generation: 1, committed: 0, retriesWaiting: 0, paused: false }
  }),
})
const lags = (lagMessages: number, ...partitions: number[]): PartitionLag[] =>
  partitions.map((partition) => {
    const place = { group: 'g', topic: TOPIC, partition, exchange: 'binance', owner: undefined }
    return { ...place, committed: 0, end: lagMessages, lagMessages, lagMs: 7 }
  })

function bench() {
  const clock = new FakeClock()
  const metrics = new Metrics()
  const errors: string[] = []
  const questions: { only: string[]; answer(lags: PartitionLag[]): void; fail(error: Error): void }[] = []
  const log = {
    lag: (_group: string, only: readonly { readonly partition: number }[] = []) =>
      new Promise<PartitionLag[]>((answer, fail) => {
        questions.push({ only: only.map(({ partition }) => String(partition)), answer, fail })
      }),
  }
  const lag = new LagMetrics(log, 'g', clock, (error) => void errors.push(String(error)))
  const shown = async (): Promise<string[]> =>
    [...(await metrics.text()).matchAll(/^kafka_consumer_lag\{.*partition="(\d+)"\} (\d+)$/gm)].map(([, at, n]) => `${at}: ${n}`)
  return { clock, metrics, errors, questions, lag, shown }
}

test('only what the consumer owns is asked for; gauges of what went elsewhere are removed', async () => {
  const { clock, metrics, questions, lag, shown } = bench()
  const first = lag.collect(metrics, owned(0, 3))
  expect(questions.map(({ only }) => only)).toEqual([['0', '3']])
  questions[0]?.answer(lags(5, 0, 3))
  await first
  expect(await shown()).toEqual(['0: 5', '3: 5'])
  const second = lag.collect(metrics, owned(3))
  questions[1]?.answer(lags(6, 3))
  await second
  expect([await shown(), clock.timers]).toEqual([['3: 6'], 0])
})

test('scrapes that come while a question is under way share its answer, and none waits longer than a second', async () => {
  const { clock, metrics, questions, lag, shown } = bench()
  const done: string[] = []
  const scrape = (name: string, ...partitions: number[]) =>
    void lag.collect(metrics, owned(...partitions)).then(() => done.push(name))
  scrape('first', 0, 1)
  await clock.advance(1_000)
  expect([done, await shown()]).toEqual([['first'], []])
  scrape('second', 0, 1)
  scrape('third', 0, 1)
  await clock.advance(500)
  expect([questions.length, done]).toEqual([1, ['first']])
  questions[0]?.answer(lags(5, 0, 1))
  await settle()
  expect(done).toEqual(['first', 'second', 'third'])
  expect([await shown(), clock.timers]).toEqual([['0: 5', '1: 5'], 0])
  scrape('fourth', 0, 1)
  expect(questions).toHaveLength(2)
})

test('an answer that comes after its scrape stands in the gauges for the next, without what went elsewhere meanwhile', async () => {
  const { clock, metrics, questions, lag, shown } = bench()
  const consumer = owned(0, 1)
  const scrape = lag.collect(metrics, consumer)
  await clock.advance(1_000)
  await scrape
  consumer.assigned = owned(1).assigned
  questions[0]?.answer(lags(5, 0, 1))
  await settle()
  expect(await shown()).toEqual(['1: 5'])
})

test('a question that fails keeps the gauges and is told; the next scrape asks again', async () => {
  const { metrics, errors, questions, lag, shown } = bench()
  const first = lag.collect(metrics, owned(0))
  questions[0]?.answer(lags(5, 0))
  await first
  const second = lag.collect(metrics, owned(0))
  questions[1]?.fail(new Error('away'))
  await second
  expect([errors, await shown()]).toEqual([['Error: away'], ['0: 5']])
  void lag.collect(metrics, owned(0))
  expect(questions).toHaveLength(3)
})

test('after the end nothing is asked, shown or told', async () => {
  const { metrics, errors, questions, lag, shown } = bench()
  const first = lag.collect(metrics, owned(0))
  questions[0]?.answer(lags(5, 0))
  await first
  const late = [lag.collect(metrics, owned(0))]
  lag.end()
  await lag.collect(metrics, owned(0))
  expect(questions).toHaveLength(2)
  questions[1]?.fail(new Error('the log is closed'))
  await Promise.all(late)
  expect([errors, await shown()]).toEqual([[], []])
})
