/** The command as a user runs it: a process of its own, its signals, its exit codes, its output into a pipe. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { until } from '../support/until.js'
import { SimulatedBinance } from '../support/venues/binance/server.js'

const directory = mkdtempSync(join(tmpdir(), 'tickwire-processes-'))
const main = join(directory, 'dist', 'main.js')
const children: ChildProcess[] = []
let venue: SimulatedBinance

beforeAll(async () => {
  // Built beside the addon it loads: the package's root is two folders up from src/native, as in dist.
  const out = join(process.cwd(), 'build', 'cli-test')
  const build = spawnSync(
    'node_modules/.bin/tsc',
    ['-p', 'tsconfig.build.json', '--outDir', join(out, 'dist'), '--declaration', 'false'],
    { encoding: 'utf8' },
  )
  expect(build.stdout).toBe('')
  expect(existsSync(join(out, 'dist', 'main.js'))).toBe(true)
  rmSync(join(directory, 'dist'), { recursive: true, force: true })
  spawnSync('cp', ['-r', join(out, 'dist'), directory])
  for (const name of ['build', 'config', 'node_modules', 'package.json'])
    spawnSync('ln', ['-s', join(process.cwd(), name), join(directory, name)])
  venue = new SimulatedBinance({ seed: 3, eventsPerSecond: 500 })
  await venue.start()
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  }
})
afterAll(async () => {
  await venue.stop()
  rmSync(directory, { recursive: true, force: true })
})

interface Run {
  readonly child: ChildProcess
  out: string
  err: string
  code: number | null | undefined
}

function start(...args: string[]): Run {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TICKWIRE_LOG_LEVEL: 'info' },
  })
  children.push(child)
  const run: Run = { child, out: '', err: '', code: undefined }
  child.stdout?.on('data', (d: Buffer) => {
    run.out += d.toString()
  })
  child.stderr?.on('data', (d: Buffer) => {
    run.err += d.toString()
  })
  child.on('close', (code) => {
    run.code = code
  })
  return run
}
async function finish(run: Run): Promise<Run> {
  await until('the process ends', () => run.code !== undefined, 30_000)
  return run
}
const feed = () => [
  '--venue',
  'binance',
  '--symbols',
  'BTCUSDT,ETHUSDT',
  '--stream-url',
  venue.streamUrl,
  '--rest-url',
  venue.restUrl,
]

test('record, then replay into another directory: the same record hash', async () => {
  const [live, again, file] = [join(directory, 'live'), join(directory, 'again'), join(directory, 'frames.twr')]
  const recording = start('record', file, ...feed(), '--data', live, '--http-port', '0')
  await until('frames are recorded', () => existsSync(file) && readFileSync(file).length > 50_000)
  const subscribed = await finish(start('subscribe', 'SOLUSDT', '--exchange', 'binance', '--data', live))
  expect(subscribed).toMatchObject({ code: 0 })
  recording.child.kill('SIGTERM')
  expect(await finish(recording)).toMatchObject({ code: 0 })
  const replayed = await finish(start('replay', file, '--venue', 'binance', '--data', again, '--no-bars'))
  expect(replayed.err).toBe('')
  expect(replayed.code).toBe(0)
  const hashes = []
  for (const data of [live, again]) {
    const verify = await finish(
      start('verify', data, '--hash', '--topics', 'market.crypto.trades.binance,market.crypto.quotes.binance'),
    )
    expect(verify.code).toBe(0)
    const report = JSON.parse(verify.out) as { records: number; hash: string }
    expect(report.records).toBeGreaterThan(100)
    hashes.push(report.hash)
  }
  console.log(`record hash of the live run and of its replay: ${hashes.join(' ')}`)
  expect(hashes[1]).toBe(hashes[0])
  const unsubscribed = await finish(start('unsubscribe', 'SOLUSDT', '--exchange', 'binance', '--data', live))
  expect(unsubscribed.code).toBe(3)
  expect(unsubscribed.err).toContain('fix: start `tickwire up`')
}, 90_000)

test('three processes on one directory: ingestion, bars and a follower of the bars; all drain on SIGTERM', async () => {
  const data = join(directory, 'three')
  const ingestion = start('run', 'ingestion', ...feed(), '--data', data, '--http-port', '0')
  await until('it runs', () => ingestion.err.includes('health:'))
  const bars = start('run', 'bars', '--exchanges', 'binance', '--intervals', '1s', '--data', data, '--http-port', '0')
  await until('bars run', () => bars.err.includes('health:'))
  const url = /health: +(\S+)/.exec(bars.err)?.[1] ?? ''
  expect(await (await fetch(url)).json()).toMatchObject({ status: 'ok', services: [{ service: 'bars', state: 'running' }] })
  const reader = start('read', 'market.crypto.ohlcv.binance', '--data', data, '--follow')
  await until('final bars', () => reader.out.split('\n').length > 3, 25_000)
  expect(JSON.parse(reader.out.split('\n')[0] ?? '')).toMatchObject({ type: 'bar', interval_ms: 1_000, version: 1 })
  for (const run of [reader, bars, ingestion]) {
    run.child.kill('SIGTERM')
    expect((await finish(run)).code).toBe(0)
  }
}, 90_000)

test('a closed pipe ends a command quietly; a taken port and a bad file have their codes', async () => {
  const shell = spawnSync('sh', ['-c', `${process.execPath} ${main} topics | head -n 1`], { encoding: 'utf8' })
  expect(shell).toMatchObject({ status: 0, stderr: '' })
  const file = join(directory, 'bad.yaml')
  writeFileSync(file, 'bars: { intervals: [7s] }\n')
  const bad = await finish(start('up', '--config', file))
  expect(bad.code).toBe(2)
  expect(bad.err).toContain('bad.yaml:1: bars.intervals[0]: "7s" is not valid')
  const port = new URL(venue.restUrl).port
  const taken = await finish(
    start('run', 'bars', '--exchanges', 'binance', '--data', join(directory, 'port'), '--http-port', port),
  )
  expect(taken.code).toBe(3)
  expect((await finish(start('up', '--data', join(directory, 'none')))).err).toContain('ingestion has no feeds')
}, 60_000)
