/** The benches run tiny here, so that they cannot rot: each prints its row, with a hash that both sides agreed on. Nothing is timed. */
import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { kafkaHere } from '../support/kafka/dist.js'

const local = [
  'decode.kite-full',
  'decode.binance-trade',
  'decode.binance-trade-js',
  'ring.spsc',
  'ring.to-js',
  'journal.append',
  'journal.append-sync',
  'journal.limit',
  'pipeline.replay',
  'pipeline.latency',
]
const kafka = [
  'kafka.produce-keyed',
  'kafka.produce-batched',
  'kafka.produce-batched-40',
  'kafka.produce-java',
  'kafka.consume-keyed',
  'kafka.consume-batched',
  'kafka.latency',
  'kafka.lag',
]

function runTiny(ids: readonly string[]): void {
  const run = spawnSync(process.execPath, ['bench/run.mjs'], {
    encoding: 'utf8',
    env: { ...process.env, BENCH_SCALE: '0.002', BENCH_PAIRS: '1', ONLY: ids.join(',') },
    // spawnSync holds the test's own limit up.
    timeout: 590_000,
  })
  expect(run.stderr).toBe('')
  expect(run.status).toBe(0)
  for (const id of ids) expect(run.stdout).toContain(`${id} `)
}

it('every local bench runs and both sides do the same work', () => runTiny(local), 600_000)

it.skipIf(!kafkaHere())('every Kafka bench runs and both sides do the same work', () => runTiny(kafka), 600_000)

it('a bench that does not exist is told with those that do', () => {
  const run = spawnSync(process.execPath, ['bench/run.mjs'], { encoding: 'utf8', env: { ...process.env, ONLY: 'kafka.nothing' } })
  expect(run.status).toBe(2)
  for (const id of [...local, ...kafka]) expect(run.stderr).toContain(id)
})
