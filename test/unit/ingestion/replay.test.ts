import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { type ReplayOptions, type ReplayResult, replay } from '../../../src/ingestion/replay.js'
import { createFeed, frameKind } from '../../../src/native/feed.js'
import { verifyLog } from '../../../src/native/journal-admin.js'
import { FakeClock } from '../../support/fake-clock.js'
import { type FeedLog, feedLog } from '../../support/feed-log.js'
import { sharedData } from '../../support/shared-data.js'
import { until } from '../../support/until.js'

const EXCHANGE = 9
const START_MS = 1_700_000_000_000
const id = (ordinal: number): number => EXCHANGE * 0x100_0000 + ordinal
const btc = { id: id(1), venueSymbol: 'BTCUSDT' }

const logs: FeedLog[] = []
const folders: string[] = []
afterEach(() => {
  for (const log of logs.splice(0)) log.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function openLog(recordsMax = 256): FeedLog {
  const log = feedLog(EXCHANGE, { recordsMax })
  logs.push(log)
  log.instruments.add(id(1), 'BTCUSDT', -8, -8)
  log.instruments.add(id(2), 'ETHUSDT', -8, -8)
  return log
}

function file(name: string, contents: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'tw-replay-'))
  folders.push(folder)
  const path = join(folder, name)
  writeFileSync(path, contents)
  return path
}

const trade = (n: number, symbol = 'BTCUSDT'): string =>
  JSON.stringify({
    stream: `${symbol.toLowerCase()}@trade`,
    data: {
      e: 'trade',
      E: START_MS + n,
      s: symbol,
      t: 1000 + n,
      p: `${100 + (n % 7)}.50`,
      q: '0.25',
      T: START_MS + n,
      m: n % 2 === 0,
      M: true,
    },
  })
/** `count` trades, one each `stepMs`. */
const lines = (count: number, stepMs = 1, symbol = 'BTCUSDT'): string =>
  Array.from({ length: count }, (_, n) => `${BigInt(START_MS + n * stepMs) * 1_000_000n} ${trade(n, symbol)}\n`).join('')

const play = (log: FeedLog, files: readonly string[], more: Partial<ReplayOptions> = {}): Promise<ReplayResult> =>
  replay({
    files,
    venue: 'binance',
    batcher: log.batcher,
    exchange: EXCHANGE,
    source: 0,
    instruments: [btc],
    topics: log.topics,
    ...more,
  })

async function hashOf(log: FeedLog): Promise<{ hash: string; records: number; repeats: number }> {
  const report = await verifyLog(log.directory, { hash: true })
  expect(report.damageCount + report.badBatches).toBe(0)
  return { hash: report.hash ?? '', records: report.records, repeats: report.repeats }
}

test('batch sizes, gzip and small rings give one record hash', async () => {
  const plain = file('a.txt', lines(5000))
  const zipped = file('a.gz', gzipSync(lines(5000)))
  const hashes = new Set<string>()
  for (const [path, recordsMax, ringSlots] of [
    [plain, 1, 65_536],
    [plain, 7, 64],
    [zipped, 4096, 65_536],
    [zipped, 256, 256],
  ] as const) {
    const log = openLog(recordsMax)
    const result = await play(log, [path], { ringSlots })
    expect(result.stats.records - result.stats.clocks).toBe(5000)
    expect(result.stats.refused).toBe(0)
    expect(result.epoch).toBe(START_MS / 1000)
    hashes.add((await hashOf(log)).hash)
  }
  expect([...hashes]).toHaveLength(1)
})

test('the same recording again resumes: nothing stands twice', async () => {
  const log = openLog()
  await play(log, [file('cut.txt', lines(1200))])
  const result = await play(log, [file('whole.txt', lines(3000))])
  expect(result.held).toBe(1200)
  expect(result.stats.repeats).toBe(1200)
  const resumed = await hashOf(log)
  expect(resumed.repeats).toBe(0)
  const whole = openLog()
  await play(whole, [file('whole.txt', lines(3000))])
  expect(resumed.hash).toBe((await hashOf(whole)).hash)
})

test('a recording older than what the log holds is refused', async () => {
  const log = openLog()
  await play(log, [file('new.txt', lines(10))])
  const before = await hashOf(log)
  const older = lines(10).replaceAll(/^17/gm, '16')
  await expect(play(log, [file('old.txt', older)])).rejects.toThrow(/older than what the log holds.*1600000000/)
  expect(await hashOf(log)).toEqual(before)
  await play(log, [file('old.txt', older)], { source: 1 })
})

test('a recording of a live feed replays to the live hash', async () => {
  const live = openLog()
  const path = join(mkdtempSync(join(tmpdir(), 'tw-replay-')), 'live.twc')
  folders.push(join(path, '..'))
  const feed = createFeed({
    batcher: live.batcher,
    venue: 'binance',
    exchange: EXCHANGE,
    source: 0,
    epoch: 1_700_000_000,
    policy: 'drop',
    live: true,
  })
  feed.addInstrument(btc.id, btc.venueSymbol, 0)
  feed.recordTo(path)
  for (let n = 0; n < 2000; n++) {
    feed.push(Buffer.from(trade(n)), frameKind.text)
    if (n % 100 === 0) feed.tick()
    if (n === 1000) feed.reconnect(1_700_000_500)
  }
  while (!feed.finish()) await new Promise((resolve) => setImmediate(resolve))
  await until('all is written', () => feed.flushed)
  expect(feed.stats().refused).toBe(0)
  feed.stop()
  const again = openLog(7)
  const result = await play(again, [path])
  expect(result.stats.frames).toBe(2000)
  expect(await hashOf(again)).toMatchObject({ hash: (await hashOf(live)).hash })
  // One directory, played once more: everything is there already.
  expect((await play(again, [path])).stats.repeats).toBe(result.stats.records - result.stats.clocks)
})

test('what nobody listed is listed on a first pass', async () => {
  const log = openLog()
  const path = file('two.txt', lines(10) + lines(10, 1, 'ETHUSDT') + lines(5, 1, 'XRPUSDT'))
  const asked: string[][] = []
  const result = await play(log, [path], {
    list: async (names) => {
      asked.push([...names])
      return [{ id: id(2), venueSymbol: 'ETHUSDT' }]
    },
  })
  expect(asked).toEqual([['ETHUSDT', 'XRPUSDT']])
  expect(result.stats.records - result.stats.clocks).toBe(20)
  expect(result.stats.unknown).toEqual(['XRPUSDT'])
})

test('at speed 10 frames come when they are due', async () => {
  const log = openLog()
  const clock = new FakeClock()
  const seen: number[] = []
  let done = false
  const running = play(log, [file('slow.txt', lines(200, 10))], {
    speed: 10,
    clock,
    onProgress: ({ records }) => seen.push(records),
  }).then((result) => {
    done = true
    return result
  })
  let waitedMs = 0
  while (!done) {
    // The replay sleeps on the clock between looks; each advance is one millisecond of it.
    await until('the replay sleeps or ends', () => done || clock.timers > 0)
    if (!done) clock.advance(1)
    waitedMs++
  }
  const result = await running
  expect(result.stats.records - result.stats.clocks).toBe(200)
  // 1,990 ms of recording at ten times the speed.
  expect(waitedMs).toBeGreaterThan(180)
  expect(waitedMs).toBeLessThan(230)
})

test('several files are merged by receive time, and damage is an error with a name', async () => {
  const log = openLog()
  const all = lines(1000).split('\n')
  const odd = file('odd.txt', all.filter((_, n) => n % 2 === 1).join('\n'))
  const even = file('even.txt.gz', gzipSync(all.filter((_, n) => n % 2 === 0).join('\n')))
  await play(log, [odd, even])
  const whole = openLog()
  await play(whole, [file('all.txt', lines(1000))])
  expect((await hashOf(log)).hash).toBe((await hashOf(whole)).hash)

  const zipped = gzipSync(lines(5000))
  await expect(play(openLog(), [file('cut.gz', zipped.subarray(0, zipped.length / 2))])).rejects.toThrow(
    /cut\.gz cannot be unzipped: unexpected end of file/,
  )
  await expect(play(openLog(), ['/nowhere'])).rejects.toThrow(/ENOENT/)
  await expect(play(openLog(), [file('a.csv', 'a,b,c\n1,2,3\n')])).rejects.toThrow(/no recording this engine knows/)
  await expect(play(openLog(), [])).rejects.toThrow(/at least one file/)
  await expect(play(openLog(), [odd], { speed: 0 })).rejects.toThrow(/speed/)
  await expect(play(openLog(), [odd], { instruments: [{ id: 5, venueSymbol: 'X' }] })).rejects.toThrow(
    /not in the instrument table/,
  )
  await expect(play(openLog(), [odd, file('n.json', '{}\n')])).rejects.toThrow(/receive times/)
  await expect(play(openLog(), [odd], { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
})

test('recorded Binance sessions: one hash whatever the batch size, no false gap', async () => {
  const recordings = [
    {
      name: 'spot',
      venue: 'binance',
      files: ['hftbacktest/spot_btcusdt_20240808.gz', 'hftbacktest/spot_btcusdt_20240809.gz'],
      checks: 1072,
    },
    { name: 'USD-M', venue: 'binance_usdm', files: ['hftbacktest/usdm_btcusdt_20240808.gz'], checks: 629 },
  ]
  for (const { name, venue, files, checks } of recordings) {
    const paths = files.map((path) => sharedData(path)).filter((path) => path !== undefined)
    if (paths.length < files.length) continue
    const hashes = new Set<string>()
    let compared = 0
    for (const recordsMax of [1, 7, 4096]) {
      const log = openLog(recordsMax)
      const { stats } = await play(log, paths, { venue, venueOptions: { depthLevels: 10 } })
      expect(stats.gaps).toBe(0)
      expect(stats.books.mismatches).toBe(0)
      expect(stats.books.checks).toBeGreaterThanOrEqual(checks)
      const { hash, records, repeats } = await hashOf(log)
      expect(repeats).toBe(0)
      hashes.add(hash)
      compared += records
      console.log(
        `${name}, batches of ${recordsMax}: ${stats.frames} frames, ${records} records, ${stats.books.checks} book checks, hash ${hash}`,
      )
    }
    expect([...hashes]).toHaveLength(1)
    expect(compared).toBeGreaterThan(0)
  }
}, 120_000)

test('recorded cryptofeed session: WebSocket and REST files are one session', async () => {
  const ws = sharedData('cryptofeed/BINANCE.ws.1.0.gz')
  const http = sharedData('cryptofeed/BINANCE.http.0.0.gz')
  if (ws === undefined || http === undefined) return
  const log = openLog()
  const names = ['NKNUSDT', 'BLZETH', 'LRCBTC', 'RUNEEUR']
  names.forEach((name, n) => {
    log.instruments.add(id(10 + n), name, -10, -8)
  })
  const { stats } = await play(log, [ws, http], {
    instruments: names.map((venueSymbol, n) => ({ id: id(10 + n), venueSymbol })),
    venueOptions: { depthLevels: 5 },
  })
  console.log(
    `cryptofeed: ${stats.frames} frames, ${stats.records - stats.clocks} records, ${stats.books.checks} book checks, skipped ${JSON.stringify(stats.skipped)}`,
  )
  expect(stats.frames).toBe(265 + 4)
  expect(stats.books.mismatches).toBe(0)
  expect(stats.unknown).toEqual([])
})
