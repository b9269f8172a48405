/**
 * pipeline.replay: a Binance session from its capture file to the log and to 1s and 1m bars. Ours: replay, log, bars processor.
 * Peer: what a Node program does: read lines, JSON.parse, objects, a Map of bars, appendFile of JSON in batches.
 */
import { createReadStream, mkdirSync, rmSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { replay } from '../../src/ingestion/replay.js'
import { openLog } from '../../src/log/index.js'
import { createBatcher } from '../../src/native/feed.js'
import { createInstruments } from '../../src/native/instruments.js'
import { openNativeLog } from '../../src/native/log.js'
import { createBars } from '../../src/processors/bars/index.js'
import { decodeRecord, type Field, layout } from '../../src/wire/index.js'
import { defaultSymbols } from '../../test/support/venues/binance/market.js'
import { compare, emit, type Run, scale } from './compare.js'
import { scratch } from './records.js'
import { writeSession } from './session.js'

const EXCHANGE = 1
const EXPONENT = -8
const directory = scratch('replay')
const capture = join(directory, 'session.txt')
const session = writeSession(capture, Math.max(2000, Math.ceil(1_200_000 * scale())))
const symbols = defaultSymbols.map((spec, i) => ({ id: (EXCHANGE << 24) | (i + 1), symbol: spec.symbol }))

/** One line per final 1m bar, without its volume's zeros: both sides must give the same set. */
function digest(bars: readonly string[]): string {
  return `${bars.length} ${bars.toSorted().join(';').length} ${bars.toSorted()[0] ?? ''}`
}

const intervalMs: Field = layout.records.bar.fields.interval_ms
let run = 0
async function ours(): Promise<Run> {
  run += 1
  const path = join(directory, `log-${run}`)
  mkdirSync(path)
  const log = openNativeLog(path, {})
  const topics = {
    trades: 'market.crypto.trades.bench',
    quotes: 'market.crypto.quotes.bench',
    ohlcv: 'market.crypto.ohlcv.bench',
  }
  for (const name of Object.values(topics)) log.ensureTopic({ name, partitions: 1 })
  const instruments = createInstruments()
  for (const { id, symbol } of symbols) instruments.add(id, symbol, EXPONENT, EXPONENT)
  const batcher = createBatcher({ log, instruments, recordsMax: 4096 })
  batcher.addRoute(EXCHANGE, 'trades', topics.trades)
  batcher.addRoute(EXCHANGE, 'quotes', topics.quotes)
  batcher.start()
  const bars = createBars({ log, inputs: [topics.trades], output: topics.ohlcv, intervals: ['1s', '1m'], partitions: [0] })
  bars.start()
  const result = await replay({
    files: [capture],
    venue: 'binance',
    batcher,
    exchange: EXCHANGE,
    source: 0,
    instruments: symbols.map(({ id, symbol }) => ({ id, venueSymbol: symbol })),
  })
  batcher.stop()
  const end = log.describe(topics.trades, 0)?.endOffset ?? 0
  while ((bars.stats().lanes[0]?.position ?? 0) < end) await new Promise((resolve) => setTimeout(resolve, 1))
  bars.stop()
  if (result.stats.gaps !== 0) throw new Error(`${result.stats.gaps} gaps`)

  const found: string[] = []
  const reader = await openLog({ directory: path, readOnly: true })
  for await (const message of reader.read({ topics: [topics.ohlcv] })) {
    const view = message.view()
    if (view?.name !== 'bar') continue
    for (let i = 0; i < view.count; i++) {
      if (view.number(intervalMs, i) !== 60_000) continue
      const bar = decodeRecord(view, i, (id) => ({
        symbol: symbols[(id & 0xffffff) - 1]?.symbol ?? '',
        priceExponent: EXPONENT,
        sizeExponent: EXPONENT,
      }))
      found.push(`${bar.symbol} ${BigInt(bar.ts_event as string) / 1_000_000n} ${bar.open} ${bar.close} ${bar.trades}`)
    }
  }
  await reader.close()
  rmSync(path, { recursive: true })
  return { operations: session.lines, hash: digest(found) }
}

interface PeerBar {
  open: number
  high: number
  low: number
  close: number
  volume: number
  trades: number
}

async function theirs(): Promise<Run> {
  run += 1
  const path = join(directory, `peer-${run}`)
  mkdirSync(path)
  const bars = new Map<string, PeerBar>()
  let pending: string[] = []
  const lines = createInterface({ input: createReadStream(capture), crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) {
    const { data } = JSON.parse(line.slice(line.indexOf(' ') + 1)) as {
      data: { e?: string; s: string; p: string; q: string; T: number; t: number; b: string; a: string }
    }
    if (data.e === 'trade') {
      const trade = { symbol: data.s, price: Number(data.p), size: Number(data.q), time: data.T, id: data.t }
      for (const interval of [1000, 60_000]) {
        const key = `${trade.symbol} ${interval} ${Math.floor(trade.time / interval) * interval}`
        const bar = bars.get(key)
        if (bar === undefined)
          bars.set(key, {
            open: trade.price,
            high: trade.price,
            low: trade.price,
            close: trade.price,
            volume: trade.size,
            trades: 1,
          })
        else {
          bar.high = Math.max(bar.high, trade.price)
          bar.low = Math.min(bar.low, trade.price)
          bar.close = trade.price
          bar.volume += trade.size
          bar.trades += 1
        }
      }
      pending.push(JSON.stringify(trade))
    } else {
      pending.push(JSON.stringify({ symbol: data.s, bid: Number(data.b), ask: Number(data.a) }))
    }
    if (pending.length >= 1024) {
      await appendFile(join(path, 'log.ndjson'), `${pending.join('\n')}\n`)
      pending = []
    }
  }
  await appendFile(join(path, 'log.ndjson'), `${pending.join('\n')}\n`)
  const found: string[] = []
  for (const [key, bar] of bars) {
    const [symbol, interval, start] = key.split(' ')
    if (interval === '60000') found.push(`${symbol} ${start} ${bar.open} ${bar.close} ${bar.trades}`)
  }
  await appendFile(join(path, 'bars.ndjson'), found.join('\n'))
  rmSync(path, { recursive: true })
  return { operations: session.lines, hash: digest(found) }
}

emit(await compare({ id: 'pipeline.replay', peer: 'JSON.parse + objects + Map + appendFile', unit: '1/s', ours, theirs }))
