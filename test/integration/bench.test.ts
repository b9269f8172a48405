/** The benches run tiny here, so that they cannot rot: each prints its row, with a hash that both sides agreed on. Nothing is timed. */
import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'

const ids = [
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

it('every bench runs and both sides do the same work', () => {
  const run = spawnSync(process.execPath, ['bench/run.mjs'], {
    encoding: 'utf8',
    env: { ...process.env, BENCH_SCALE: '0.002', BENCH_PAIRS: '1' },
  })
  expect(run.stderr).toBe('')
  expect(run.status).toBe(0)
  for (const id of ids) expect(run.stdout).toContain(`${id} `)
}, 600_000)
