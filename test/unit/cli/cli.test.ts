import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createProgram, everyCommand } from '../../../src/cli/program.js'
import { systemClock } from '../../../src/core/clock.js'
import { silentLogger } from '../../../src/core/logging.js'
import { encodeBatch } from '../../../src/native/log.js'
import { openRuntime } from '../../../src/services/runtime.js'
import { loadSettings } from '../../../src/services/settings.js'
import { cli } from '../../support/cli.js'

const directory = mkdtempSync(join(tmpdir(), 'tickwire-cli-'))
const data = join(directory, 'data')
const TOPIC = 'market.crypto.trades.binance'
const START = 1_700_000_000_000_000_000n

function trades(instrument: number, first: number, count: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(64 * count))
  for (let i = 0; i < count; i++) {
    const at = i * 64
    const ts = START + BigInt(first + i) * 1_000_000_000n
    bytes.setBigUint64(at, ts, true)
    bytes.setBigUint64(at + 8, ts + 5n, true)
    bytes.setUint32(at + 16, first + i, true)
    bytes.setUint32(at + 20, 1_700_000_000, true)
    bytes.setUint32(at + 24, instrument, true)
    bytes.setUint8(at + 28, 1)
    bytes.setBigInt64(at + 32, 6_183_763n + BigInt(i), true)
    bytes.setBigInt64(at + 40, 5n, true)
    bytes.setUint16(at + 60, 1, true)
    bytes.setUint8(at + 62, 1)
  }
  return encodeBatch(1, new Uint8Array(bytes.buffer), START)
}

beforeAll(async () => {
  const settings = loadSettings({ environment: {}, given: { data_dir: data } })
  const runtime = await openRuntime({ settings, service: 'test', logger: silentLogger })
  const listed = await runtime.registry.list(
    'binance',
    ['BTCUSDT', 'ETHUSDT'].map((symbol) => ({ symbol, price_exponent: -2, size_exponent: -3 })),
  )
  await runtime.ensureTopics([runtime.topics.get(TOPIC)])
  const { murmur2 } = await import('../../../src/native/model.js')
  for (const { id, symbol } of listed) {
    const result = await runtime.log.append(TOPIC, (murmur2(symbol) & 0x7fffffff) % 4, {
      kind: 'batch',
      key: symbol,
      value: trades(id, 1, 10),
    })
    expect(result.status).toBe('ok')
  }
  await runtime.close()
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('every command has a description, examples in its help, and a row in the document', async () => {
  const document = readFileSync('docs/reference/cli.md', 'utf8')
  const program = createProgram({
    out: async () => {},
    err: () => {},
    isOutTty: false,
    isErrTty: false,
    environment: {},
    clock: systemClock,
    signal: new AbortController().signal,
  })
  let checked = 0
  for (const command of everyCommand(program).slice(1)) {
    const path = command.parent === program ? command.name() : `${command.parent?.name()} ${command.name()}`
    const help = await cli([...path.split(' '), '--help'])
    expect(help.code).toBe(0)
    expect(help.out).toContain('Examples:')
    expect(command.description().length).toBeGreaterThan(10)
    if (command.commands.length === 0) expect(document).toContain(`\n## ${path}\n`)
    for (const option of command.options) {
      expect(document).toContain(`\`${option.flags}\``)
      checked++
    }
  }
  expect(checked).toBeGreaterThan(10)
})

test('read: decoded lines with exact decimals, by symbol, by time, limited, as CSV', async () => {
  const all = lines((await cli(['read', TOPIC, '--data', data])).out)
  expect(all).toHaveLength(20)
  const one = lines((await cli(['read', TOPIC, '--data', data, '--symbols', 'ETHUSDT', '--limit', '3'])).out)
  expect(one).toHaveLength(3)
  expect(one[0]).toMatchObject({ symbol: 'ETHUSDT', price: '61837.63', size: '0.005', side: 'buy', topic: TOPIC })
  const part = lines(
    (
      await cli([
        'read',
        TOPIC,
        '--data',
        data,
        '--symbols',
        'BTCUSDT',
        '--from',
        '2023-11-14T22:13:23Z',
        '--to',
        '2023-11-14T22:13:26Z',
      ])
    ).out,
  )
  expect(part.map((r) => r.seq)).toEqual([3, 4, 5])
  const csv = (await cli(['read', 'market.crypto.trades.*', '--data', data, '--symbols', 'BTCUSDT', '--format', 'csv'])).out
    .trim()
    .split('\n')
  expect(csv).toHaveLength(11)
  expect(csv[0]).toContain('price,size')
  expect((await cli(['read', TOPIC, '--data', data, '--format', 'table', '--limit', '1'])).out).toMatch(
    /^2023-11-14T22:13:21\.000000000Z/,
  )
  const master = lines((await cli(['read', 'market.crypto.reference_data.binance', '--data', data])).out)
  expect(master.map((r) => r.key)).toEqual(['BTCUSDT', 'ETHUSDT'])
})

test('read --follow ends when it is interrupted, with 0; an interrupted verify answers 130 only for unfinished work', async () => {
  const abort = new AbortController()
  let seen = 0
  const run = await cli(['read', TOPIC, '--data', data, '--follow'], {
    signal: abort.signal,
    out: async (text) => {
      seen += text.toString().split('\n').length - 1
      if (seen >= 20) abort.abort(new Error('enough'))
    },
  })
  expect(run).toMatchObject({ code: 0, err: '' })
  expect(seen).toBe(20)
})

test('verify: counts and a hash that does not depend on batching; damage is exit 1', async () => {
  const run = await cli(['verify', data, '--hash'])
  expect(run).toMatchObject({ code: 0, err: '' })
  expect(JSON.parse(run.out)).toMatchObject({
    records: 20,
    streams: 2,
    repeats: 0,
    damageCount: 0,
    badBatches: 0,
    hash: expect.stringMatching(/^[0-9a-f]{16}/),
  })
  expect((await cli(['verify', join(directory, 'nothing')])).code).toBe(2)
})

test('topics, log du and trim', async () => {
  expect(JSON.parse((await cli(['topics', 'market.ticks'])).out).length).toBeGreaterThan(10)
  expect(JSON.parse((await cli(['topics', TOPIC, '--data', data])).out)).toEqual([
    expect.objectContaining({ topic: TOPIC, partitions: 4, end: 20 }),
  ])
  const usage = JSON.parse((await cli(['log', 'du', '--data', data])).out) as { topic: string; records: number }[]
  expect(usage.find((u) => u.topic === TOPIC)?.records).toBe(20)
  const trim = JSON.parse((await cli(['log', 'trim', TOPIC, '--data', data, '--before', 'offset:5'])).out) as {
    segments: number
  }[]
  expect(trim.every((t) => t.segments === 0)).toBe(true)
  expect((await cli(['log', 'trim', 'market.crypto.trades.kraken', '--data', data, '--before', '1d'])).code).toBe(2)
})

test('what is asked for and is not there: a usage error, and nothing is made', async () => {
  const empty = join(directory, 'empty')
  mkdirSync(empty)
  const file = join(directory, 'plain-file')
  writeFileSync(file, '')
  for (const place of [empty, file, join(directory, 'nowhere')]) {
    for (const args of [
      ['read', TOPIC, '--data', place],
      ['verify', place],
      ['topics', '--data', place],
      ['log', 'du', '--data', place],
      ['log', 'trim', TOPIC, '--data', place, '--before', '1d'],
    ]) {
      expect(await cli(args)).toMatchObject({ code: 2, err: expect.stringMatching(/data directory/) })
    }
  }
  expect(readdirSync(empty)).toEqual([])
  expect(existsSync(join(directory, 'nowhere'))).toBe(false)
  expect(await cli(['doctor', '--data', file])).toMatchObject({ code: 3 })
  const partition = await cli(['read', TOPIC, '--data', data, '--partition', '99'])
  expect(partition).toMatchObject({ code: 2, err: expect.stringContaining('give 0 to 3') })
  expect(await cli(['read', TOPIC, '--data', data, '--limit', '0'])).toEqual({ code: 0, out: '', err: '' })
})

test('bytes that are no recording: the file is named, and nothing decoded is a failure', async () => {
  const garbage = Buffer.from(Array.from({ length: 4_000 }, (_, i) => (i * 7919 + (i >> 3)) & 0xff))
  const [plain, whole, cut] = ['garbage', 'garbage.gz', 'cut.gz'].map((name) => join(directory, name)) as [string, string, string]
  writeFileSync(plain, garbage)
  writeFileSync(whole, gzipSync(garbage))
  writeFileSync(cut, gzipSync(garbage).subarray(0, 60))
  const into = ['--venue', 'binance', '--data', join(directory, 'garbage-data')]
  for (const file of [plain, whole]) {
    expect(await cli(['replay', file, ...into])).toMatchObject({ code: 1, err: expect.stringContaining('no record came out of') })
    expect((await cli(['decode', 'kite', file])).code).toBe(0)
  }
  expect(await cli(['replay', plain, '--venue', 'kite', '--data', join(directory, 'garbage-data')])).toMatchObject({
    code: 2,
    err: expect.stringContaining('give --exchange, such as --exchange nse'),
  })
  expect((await cli(['decode', 'kite', whole])).out).toBe((await cli(['decode', 'kite', plain])).out)
  for (const args of [
    ['replay', cut, ...into],
    ['decode', 'kite', cut],
  ]) {
    expect(await cli(args)).toMatchObject({ code: 1, err: expect.stringContaining(`${cut} cannot be unzipped`) })
  }
})

test('config check prints every problem with its line and answers 2', async () => {
  expect(await cli(['config', 'check', '--config', 'config/tickwire.yaml'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('ok: config/tickwire.yaml'),
  })
  const file = join(directory, 'bad.yaml')
  writeFileSync(file, 'stream:\n  port: 99999\nbars:\n  intervals: [2s]\n')
  const run = await cli(['config', 'check', '--config', file])
  expect(run.code).toBe(2)
  expect(run.err).toContain(`${file}:2: stream.port: 99999 is above the most of 65535`)
  expect(run.err).toMatch(/bad\.yaml:4: bars\.intervals\[0\]: "2s" is not valid; valid: 1s, 5s/)
  writeFileSync(file, 'stream:\n  prot: 8080\ningestion:\n  feeds:\n    - exchange: binance\n      symbol: BTCUSDT\n')
  const typo = await cli(['config', 'check', '--config', file])
  expect(typo.err).toContain(`${file}:2: stream.prot: is not a setting; valid: host, port, client_bytes_max, slow; fix: `)
  expect(typo.err).toMatch(/bad\.yaml:6: ingestion\.feeds\[0\]\.symbol: is not a setting; valid: exchange, venue, symbols/)
  const given = await cli(['up', '--config', 'config/tickwire.yaml', '--port', '99999'])
  expect(given).toMatchObject({ code: 2, err: expect.stringContaining('command line: stream.port: 99999 is above') })
  expect(JSON.parse((await cli(['config', 'check', '--print'])).out)).toMatchObject({ data_dir: './data' })
})

test('doctor says what is there', async () => {
  const run = await cli(['doctor', '--data', join(directory, 'doctor')])
  expect(run.code).toBe(0)
  expect(JSON.parse(run.out)).toEqual(expect.arrayContaining([expect.objectContaining({ check: 'engine', status: 'ok' })]))
  expect((await cli(['doctor', '--data', '/proc/nowhere'])).code).toBe(3)
})

test('exit codes: usage, unknown things, help', async () => {
  expect((await cli(['frobnicate'])).code).toBe(2)
  expect((await cli(['read'])).code).toBe(2)
  expect((await cli(['read', TOPIC, '--data', data, '--from', 'yesterday'])).code).toBe(2)
  expect((await cli(['read', 'market.crypto.trades.kraken', '--data', data])).err).toContain('valid:')
  expect((await cli(['--help'])).code).toBe(0)
  expect((await cli(['--version'])).out).toMatch(/^\d+\.\d+\.\d+/)
  expect((await cli(['decode', 'nowhere', 'package.json'])).code).toBe(2)
  expect((await cli(['decode', 'kite', '/no/such/file'])).code).toBe(2)
})

test('services that cannot work say so before anything starts', async () => {
  const place = ['--data', join(directory, 'services'), '--port', '0', '--http-port', '0', '--log-level', 'silent']
  const none = await cli(['up', ...place])
  expect(none).toMatchObject({ code: 2, err: expect.stringContaining('give `--venue binance --symbols BTCUSDT`') })
  const strange = await cli(['up', ...place, '--venue', 'kraken', '--symbols', 'BTCUSD'])
  expect(strange).toMatchObject({ code: 2, err: expect.stringContaining('valid: binance, binance_usdm, binance_coinm') })
  for (const service of ['bars', 'stream']) {
    const run = await cli(['run', service, ...place])
    expect(run).toMatchObject({ code: 2, err: expect.stringContaining('--exchanges binance') })
  }
})

test('a recording that could not be written is a failure, however long it was tried', async () => {
  const feed = [
    '--venue',
    'binance',
    '--symbols',
    'BTCUSDT',
    '--stream-url',
    'ws://127.0.0.1:1',
    '--rest-url',
    'http://127.0.0.1:1',
  ]
  const place = ['--data', join(directory, 'recording'), '--http-port', '0', '--log-level', 'silent']
  const run = await cli(['record', join(directory, 'nowhere', 'a.twr'), ...feed, ...place, '--seconds', '0'])
  expect(run).toMatchObject({ code: 3, err: expect.stringContaining('the recording cannot be written') })
})
