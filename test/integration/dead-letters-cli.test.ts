/** dlq, groups and lag as an operator uses them, against a log with a consumer that fails and then is mended. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BusinessError, PoisonRecordError } from '../../src/core/errors.js'
import { silentLogger } from '../../src/core/logging.js'
import type { Consumer } from '../../src/log/index.js'
import { openRuntime, type Runtime } from '../../src/services/runtime.js'
import { loadSettings } from '../../src/services/settings.js'
import { tradeRun } from '../support/batches.js'
import { cli } from '../support/cli.js'
import { FakeClock } from '../support/fake-clock.js'
import { until } from '../support/until.js'

const TOPIC = 'market.crypto.trades.binance'
const directory = mkdtempSync(join(tmpdir(), 'tickwire-dlq-cli-'))
const data = join(directory, 'data')
let runtime: Runtime
let consumer: Consumer
let isMended = false
const handled: (string | undefined)[] = []

beforeAll(async () => {
  const settings = loadSettings({ environment: {}, given: { data_dir: data } })
  runtime = await openRuntime({ settings, service: 'test', logger: silentLogger })
  const [listed] = await runtime.registry.list('binance', [{ symbol: 'BTCUSDT', price_exponent: -2, size_exponent: 0 }])
  await runtime.ensureTopics([runtime.topics.get(TOPIC)])
  const instrument = listed?.id ?? 0
  const tsRecv = 1_700_000_000_000_000_000n
  await runtime.log.append(TOPIC, 1, { kind: 'batch', value: tradeRun(1, 3, { instrument, tsRecv }) })
  consumer = await runtime.log.consumer({
    group: 'storage',
    topics: [TOPIC],
    retryPolicies: { BUSINESS: { retriesMax: 0, delayMsMin: 0, delayMsMax: 0 } },
    handler: async (_, { redrive }) => {
      if (redrive !== undefined) handled.push(redrive.eventId)
      if (isMended) return undefined
      return {
        failed: [
          { index: 0, error: new PoisonRecordError('bad price') },
          { index: 2, error: new BusinessError('not listed yet') },
        ],
      }
    },
  })
  await until('both are dead', () => consumer.counters.deadLetters === 2 && consumer.assigned.length === 4)
})
afterAll(async () => {
  await consumer.stop()
  await runtime.close()
  rmSync(directory, { recursive: true, force: true })
})

type Row = Record<string, unknown>
const rowsOf = async (...args: string[]): Promise<Row[]> => {
  const run = await cli([...args, '--data', data])
  expect([run.code, run.err.includes('error:')]).toEqual([0, false])
  // Letters that die at the same time are written in either order.
  return (JSON.parse(run.out) as Row[]).toSorted((a, b) => String(a.id ?? '').localeCompare(String(b.id ?? '')))
}

test('list: what died, of what, and when to try again; each filter narrows it', async () => {
  const all = await rowsOf('dlq', 'list')
  expect(all).toHaveLength(2)
  expect(all[0]).toMatchObject({ topic: TOPIC, partition: 1, index: 0, symbol: 'BTCUSDT', type: 'trade', state: 'dead' })
  expect(all[0]).toMatchObject({ class: 'POISON', review: true, attempts: 1, reason: 'PoisonRecordError: bad price' })
  const { dead, due } = all[1] ?? {}
  expect(Date.parse(String(due)) - Date.parse(String(dead))).toBe(3_600_000)
  for (const [option, value, count] of [
    ['--class', 'BUSINESS', 1],
    ['--reason', 'BAD PRICE', 1],
    ['--reason', 'worse price', 0],
    ['--topic', 'market.crypto.*.binance', 2],
    ['--group', 'nobody', 0],
    ['--since', '1h', 2],
    ['--since', '2999-01-01', 0],
    ['--filter', 'index=2', 1],
    ['--filter', 'symbol=ETHUSDT', 0],
  ] as const) {
    expect([option, value, (await rowsOf('dlq', 'list', option, value)).length]).toEqual([option, value, count])
  }
  const wrong = await cli(['dlq', 'list', '--data', data, '--filter', 'colour=red'])
  expect(wrong.code).toBe(2)
  expect(wrong.err).toContain('valid: id, state, group')
  expect((await cli(['dlq', 'list', '--data', data, '--class', 'BAD'])).code).toBe(2)
})

test('show: the record decoded', async () => {
  const id = String((await rowsOf('dlq', 'list'))[0]?.id)
  const run = await cli(['dlq', 'show', id, '--data', data])
  const shown = JSON.parse(run.out) as Row
  expect(JSON.parse(String(shown.record))).toMatchObject({ type: 'trade', symbol: 'BTCUSDT', seq: 1, price: '1' })
  const missing = await cli(['dlq', 'show', 'a/b/0/0/0', '--data', data])
  expect([missing.code, missing.err.includes('there is no dead letter a/b/0/0/0')]).toEqual([2, true])
})

test('redrive: what waits for a review or its time is left out and said; a second run asks for nothing', async () => {
  isMended = true
  const dry = await rowsOf('dlq', 'redrive', '--dry-run')
  expect(dry.map(({ redrive }) => redrive)).toEqual(['needs a review: give --reviewed', expect.stringMatching(/^due .*--early$/)])
  const willing = await rowsOf('dlq', 'redrive', '--reviewed', '--early', '--dry-run')
  expect(willing.map(({ redrive }) => redrive)).toEqual(['would be asked for', 'would be asked for'])
  expect((await rowsOf('dlq', 'list')).map(({ state }) => state)).toEqual(['dead', 'dead'])
  const asked = await rowsOf('dlq', 'redrive', '--reviewed', '--early')
  expect(asked.map(({ redrive }) => redrive)).toEqual(['asked for', 'asked for'])
  const again = await rowsOf('dlq', 'redrive', '--reviewed', '--early')
  expect(again.filter(({ redrive }) => redrive === 'asked for')).toEqual([])
  await until('both stood', async () => (await rowsOf('dlq', 'list')).length === 0)
  expect((await rowsOf('dlq', 'list', '--all')).map(({ state }) => state)).toEqual(['redriven', 'redriven'])
  expect(handled).toHaveLength(2)
  expect(new Set(handled).size).toBe(2)
})

test('groups: members, what they own, and a suggestion when they are few', async () => {
  const [member, ...others] = await rowsOf('groups', 'storage')
  expect(others).toEqual([])
  expect(member).toMatchObject({
    group: 'storage',
    state: 'stable',
    protocol: 'embedded',
    host: `pid ${process.pid}`,
    partitions: 4,
  })
  expect(member?.owned).toBe(`${TOPIC}[0-3]`)
  const unknown = await cli(['groups', 'nobody', '--data', data])
  expect([unknown.code, unknown.err.includes('valid: storage')]).toEqual([2, true])
})

test('lag: messages and milliseconds by partition and exchange; a limit answers 1; watch ends with 0', async () => {
  await consumer.stop()
  const start = 1_700_000_010_000_000_000n
  for (const [i, seconds] of [0n, 2n, 5n].entries()) {
    const value = tradeRun(10 + i, 1, { tsRecv: start + seconds * 1_000_000_000n })
    await runtime.log.append(TOPIC, 2, { kind: 'batch', value })
  }
  const rows = await rowsOf('lag', '--group', 'storage')
  expect(rows[2]).toMatchObject({ partition: 2, exchange: 'binance', owner: null, end: 3, lag_messages: 3, lag_ms: 5_000 })
  expect(rows[1]).toMatchObject({ partition: 1, committed: 3, end: 3, lag_messages: 0, lag_ms: 0 })
  const [sum] = await rowsOf('lag', '--by', 'exchange')
  expect(sum).toEqual({ group: 'storage', exchange: 'binance', partitions: 4, lag_messages: 3, lag_ms: 5_000 })
  for (const [option, value, code] of [
    ['--max', '2', 1],
    ['--max', '3', 0],
    ['--max-ms', '4999', 1],
    ['--max-ms', '5000', 0],
  ] as const) {
    expect([option, value, (await cli(['lag', '--data', data, option, value])).code]).toEqual([option, value, code])
  }
  const clock = new FakeClock()
  const abort = new AbortController()
  let prints = 0
  const watching = cli(['lag', '--data', data, '--watch', '--format', 'table'], {
    clock,
    signal: abort.signal,
    out: async () => void prints++,
  })
  await until('the first print', () => prints === 1 && clock.timers === 1)
  await clock.advance(2_000)
  await until('the second print', () => prints === 2)
  abort.abort(new Error('interrupted'))
  expect((await watching).code).toBe(0)
})
