/**
 * One recording, one record hash: a live run over a real socket, and its recording replayed at several speeds, in batches of
 * several sizes, in one process and in three. Bars are part of it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIngestion } from '../../src/services/ingestion.js'
import type { ReplayIntoOptions } from '../../src/services/replaying.js'
import { openRuntime } from '../../src/services/runtime.js'
import { loadSettings } from '../../src/services/settings.js'
import { ReplaySession, type SessionBars } from '../support/replay-session.js'
import { startSessionProcess } from '../support/session-processes.js'
import { sharedData } from '../support/shared-data.js'
import { until } from '../support/until.js'
import { SimulatedBinance } from '../support/venues/binance/server.js'

const bars: SessionBars = { input: 'trades', intervals: ['1s', '1m'], basis: 'trade' }
const dataTypes = ['trades', 'quotes', 'depth', 'book'] as const
const books = { depthLevels: 5, bookLevels: true } as const
const directory = mkdtempSync(join(tmpdir(), 'tickwire-determinism-'))
const capture = join(directory, 'live.twc')
let live: { hash: string; records: number; frames: number }

afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** The capture says itself whose frames it holds. */
const options: ReplayIntoOptions = { files: [capture], ...books }

/** Record hashes of a data directory: of what was ingested, and of the bars made of it. */
async function hashesOf(session: ReplaySession, exchange = 'binance') {
  const topics = dataTypes.map((type) => session.topic(exchange, type))
  const present = new Set((await session.runtime.log.topics()).map((topic) => topic.name))
  const [records, made] = [
    await session.verify(topics.filter((topic) => present.has(topic))),
    await session.verify([session.topic(exchange, 'ohlcv')]),
  ]
  expect(records.damageCount + records.badBatches + records.repeats + made.repeats).toBe(0)
  return { records: records.hash, bars: made.hash, streams: records.streams, made: made.records }
}

async function replayedInOneProcess(more: Partial<ReplayIntoOptions>) {
  const session = await ReplaySession.open()
  try {
    const { stats } = await session.replay({ ...options, ...more })
    await session.bars('binance', bars)
    return { ...(await hashesOf(session)), frames: stats.frames, count: stats.records - stats.clocks }
  } finally {
    await session.close()
  }
}

/** A few seconds of a venue with every channel on, a cut connection in the middle, recorded as it comes. */
async function runLive(): Promise<typeof live> {
  const venue = new SimulatedBinance({ seed: 11, eventsPerSecond: 6000 })
  await venue.start()
  const data = join(directory, 'live')
  const feed = {
    exchange: 'binance',
    symbols: ['BTCUSDT', 'ETHUSDT'],
    channels: ['trades', 'quotes', 'book'],
    depth_levels: books.depthLevels,
    book_levels: books.bookLevels,
    stream_url: venue.streamUrl,
    rest_url: venue.restUrl,
    record_to: capture,
  }
  const settings = loadSettings({
    given: { data_dir: data, logging: { level: 'silent' }, ingestion: { feeds: [feed] } },
    environment: {},
  })
  const runtime = await openRuntime({ settings, service: 'live' })
  // Known before, traded or not: it has the first id, in the recording as well.
  await runtime.registry.list('binance', [{ symbol: 'XRPUSDT' }])
  const ingestion = createIngestion(runtime)
  try {
    await ingestion.service.start()
    const [component] = ingestion.feeds
    const stats = () => component?.stats()
    await until('frames before the cut', () => (stats()?.frames ?? 0) > 2_000 && stats()?.books.quarantined === 0)
    venue.cutConnections()
    const before = stats()?.frames ?? 0
    await until('frames after the reconnect', () => (stats()?.frames ?? 0) > before + 1_000)
    // Symbols added while running get the next ids, in the recording as well.
    await component?.subscribe(['SOLUSDT'])
    await until('frames of the added symbol', () => (stats()?.frames ?? 0) > before + 2_000)
    await ingestion.service.stop()
    const { frames = 0, refused, records = 0, clocks = 0, unknown } = stats() ?? {}
    expect({ refused, unknown }).toEqual({ refused: 0, unknown: [] })
    const session = await ReplaySession.open(data)
    const topics = dataTypes.map((type) => session.topic('binance', type))
    const report = await session.verify(topics)
    await session.close()
    return { hash: report.hash ?? '', records: records - clocks, frames }
  } finally {
    await runtime.close()
    await venue.stop()
  }
}

describe('one record hash', () => {
  let expected: Awaited<ReturnType<typeof replayedInOneProcess>>

  beforeAll(async () => {
    live = await runLive()
    expected = await replayedInOneProcess({})
  }, 60_000)

  test('a live run and the replay of its recording', () => {
    console.log(`live: ${live.frames} frames, ${live.records} records, hash ${live.hash}; replayed: ${expected.records}`)
    expect(live.frames).toBeGreaterThan(3_000)
    expect({ frames: expected.frames, records: expected.count, hash: expected.records }).toEqual({
      frames: live.frames,
      records: live.records,
      hash: live.hash,
    })
    expect(expected.made).toBeGreaterThan(0)
  })

  test.each([{ batchRecords: 1 }, { batchRecords: 7 }, { batchRecords: 4_096 }, { speed: 20 }, { speed: 1, batchRecords: 7 }])(
    'replayed with %o',
    async (more) => {
      const startedMs = Date.now()
      const actual = await replayedInOneProcess(more)
      console.log(
        `${JSON.stringify(more)}: ${actual.count} records ${actual.records}, ${actual.made} bars ${actual.bars}, ${Date.now() - startedMs} ms`,
      )
      expect(actual).toEqual(expected)
    },
  )

  test('replayed by three processes: ingestion, bars, a reader', async () => {
    const session = await ReplaySession.open()
    const { directory: shared } = session
    const types = ['trades', 'quotes', 'tickers', 'depth', 'book'] as const
    const topics = await session.topics('binance', types)
    const all = [
      await startSessionProcess({ role: 'bars', directory: shared, exchange: 'binance', bars }),
      await startSessionProcess({ role: 'read', directory: shared, topics }),
    ]
    const [maker, reader] = all
    try {
      await Promise.all(all.map((each) => each.ready))
      const ingesting = await startSessionProcess({
        role: 'replay',
        directory: shared,
        options: { ...options, batchRecords: 64 },
      })
      all.push(ingesting)
      const written = await ingesting.done
      maker?.end()
      reader?.end()
      const [made, read] = await Promise.all([maker?.done, reader?.done])
      const { records, bars: hash, streams } = await hashesOf(session)
      console.log(`three processes: ${written} records in the ring, ${read} read back, ${made} bars, hashes ${records} ${hash}`)
      expect({ records, bars: hash, streams, made }).toEqual({
        records: expected.records,
        bars: expected.bars,
        streams: expected.streams,
        made: expected.made,
      })
      expect(read).toBeGreaterThan(live.records)
    } finally {
      for (const each of all) each.kill()
      await session.close()
    }
  })

  test('a recorded session, twice', async () => {
    const file = sharedData('hftbacktest/cm_btcusd_perp_20240808.gz')
    if (file === undefined) return
    const hashes: unknown[] = []
    for (const batchRecords of [4_096, 100]) {
      const session = await ReplaySession.open()
      await session.replay({ files: [file], venue: 'binance_coinm', ...books, batchRecords })
      await session.bars('binance_coinm', bars)
      hashes.push(await hashesOf(session, 'binance_coinm'))
      await session.close()
    }
    console.log(`COIN-M: ${JSON.stringify(hashes[0])}`)
    expect(hashes[1]).toEqual(hashes[0])
  })
})
