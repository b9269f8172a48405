/**
 * One process of the crash suite: an ingestion shard, the bars, or the dead-lettering consumer. Bundled and started by
 * crash-run.ts, killed by it at any instruction; what it did stands in its tap file and in the log.
 */
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../src/core/index.js'
import { type Batch, type FailedRecord, type HandlerContext, openLog } from '../../../src/log/index.js'
import { loadExchanges } from '../../../src/model/exchanges.js'
import { loadTopics } from '../../../src/model/topics-file.js'
import { packageRoot } from '../../../src/native/addon.js'
import { createBatcher, createFeed, frameKind } from '../../../src/native/feed.js'
import { createInstruments } from '../../../src/native/instruments.js'
import { createBars } from '../../../src/processors/bars/index.js'
import { openFeedSession } from '../../../src/services/feed-session.js'
import { fieldsOf } from '../../../src/wire/index.js'
import { type MarketTrade, SymbolMarket, spell } from '../venues/binance/market.js'
import { SeededRandom } from '../venues/random.js'
import * as suite from './orders.js'

const orders = JSON.parse(process.argv[2] ?? '{}') as suite.Orders
const tapFile = openSync(orders.tap, 'a')
const tap = (line: suite.TapLine): void => void writeSync(tapFile, `${JSON.stringify(line)}\n`)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const tell = (message: unknown): void => void process.send?.(message)

let stopping = false
let stop: () => Promise<void> | void = () => {}
process.on('message', (order) => {
  if (order !== 'stop') return
  stopping = true
  void Promise.resolve(stop()).then(async () => {
    await log.close()
    process.disconnect?.()
  })
})
// The suite ended without a word: nobody is left to read what this process would write.
process.on('disconnect', () => !stopping && process.exit(3))

const log = await openLog({ directory: orders.directory })
/** Log time, in ns. */
const now = (): bigint => BigInt(orders.startedMs + Math.round((Date.now() - orders.startedMs) * suite.TIME_FACTOR)) * 1_000_000n

async function ingest(): Promise<void> {
  const config = join(packageRoot, 'config')
  const exchanges = loadExchanges(join(config, 'exchanges.yaml'))
  const topics = loadTopics(join(config, 'topics.yaml'))
  const exchange = exchanges.get(suite.exchange)
  const instruments = createInstruments()
  const symbols = suite.symbolsOf(orders.shard)
  const random = new SeededRandom(orders.seed)
  const key = { exchange: suite.exchange, source: 0, shard: orders.shard }
  const epoch = await openFeedSession({ local: log, topics, exchanges, clock: systemClock }, key)
  tap({ k: 'session', shard: orders.shard, epoch })
  const batcher = createBatcher({ log: log.native, instruments, recordsMax: 64, origin: BigInt(process.pid) })
  batcher.addRoute(exchange.number, 'trades', suite.trades)
  batcher.addRoute(exchange.number, 'gaps', suite.gaps)
  batcher.start()
  // A ring that bursts overflow: losses of our own stand in the log as counted gaps.
  const feed = createFeed({
    batcher,
    venue: 'binance',
    exchange: exchange.number,
    source: 0,
    shard: orders.shard,
    epoch,
    policy: 'drop',
    ringSlots: 128,
    dataTypes: ['trades'],
  })
  const markets = symbols.map((spec, index) => {
    const id = suite.instrumentOf(exchange.number, spec)
    instruments.add(
      id,
      spec.symbol,
      -(spec.priceDigits + suite.PRICE_EXTRA_DIGITS),
      -(spec.sizeDigits + suite.PRICE_EXTRA_DIGITS),
    )
    if (!feed.addInstrument(id, spec.symbol, 0)) throw new Error(`instrument ${spec.symbol} was not taken`)
    return { id, seq: 0, market: new SymbolMarket(spec, orders.seed + index) }
  })
  tell('ready')

  const scale = 10 ** suite.PRICE_EXTRA_DIGITS
  const frameOf = ({ symbol, id, priceTicks, size, buyerIsMaker, timeMs }: MarketTrade): Uint8Array =>
    new TextEncoder().encode(
      `{"stream":"${symbol.symbol.toLowerCase()}@trade","data":{"e":"trade","E":${timeMs},"s":"${symbol.symbol}","t":${id},` +
        `"p":"${spell(priceTicks, symbol.priceDigits)}","q":"${spell(size, symbol.sizeDigits)}","T":${timeMs},` +
        `"m":${buyerIsMaker},"M":true}}`,
    )
  let burst = 0
  const push = (each: readonly (typeof markets)[number][]): void => {
    const at = now()
    const made = each.map((stream) => {
      // Some ticks come late, some very late: corrections, and trades no bar can take any more.
      const late = random.chance(0.1) ? random.integer(0, 4_000) : 0
      return { stream, trade: stream.market.tradeNow(Number(at / 1_000_000n) - late) }
    })
    const rows = made.map(({ stream, trade }): suite.ProducedRow => {
      stream.seq += 1
      return [stream.id, stream.seq, trade.id, trade.priceTicks * scale, trade.size * scale]
    })
    tap({ k: 'burst', epoch, burst: ++burst, rows })
    for (const { trade } of made) feed.push(frameOf(trade), frameKind.text, at)
  }
  const flushed = async (): Promise<void> => {
    while (!feed.flushed) await turn()
  }
  let done: () => void = () => {}
  const ended = new Promise<void>((resolve) => {
    done = resolve
  })
  stop = () => ended
  while (!stopping) {
    const size = random.chance(0.05) ? 600 : random.integer(1, 60)
    push(
      Array.from({ length: size }, () => markets[random.integer(0, markets.length - 1)] ?? markets[0]).filter(
        (m) => m !== undefined,
      ),
    )
    await flushed()
    // What the ring refused stands in the log before the next record of its stream: one more of each, into an empty ring.
    const { refused } = feed.stats()
    push(markets)
    await flushed()
    const { lost, unrouted } = batcher.stats()
    if (lost + unrouted > 0) throw new Error(`${lost} records lost, ${unrouted} without a route`)
    if (feed.stats().refused === refused) tap({ k: 'ack', epoch, burst, refused })
    await pause(random.integer(0, 8))
    feed.tick(now())
  }
  while (!feed.finish()) await turn()
  await flushed()
  feed.stop()
  batcher.stop()
  done()
}

async function runBars(): Promise<void> {
  const processor = createBars({
    log: log.native as NonNullable<typeof log.native>,
    name: suite.barsName,
    inputs: [suite.trades],
    output: suite.bars,
    group: suite.barsName,
    intervals: [...suite.barIntervals],
    snapshotMs: 2_000,
    batchSize: 16,
    origin: process.pid,
  })
  processor.start()
  stop = () => {
    processor.stop()
    const { state, error } = processor.stats()
    tap({ k: 'note', text: `bars ${state} ${error}` })
  }
  tell('ready')
  for (let told = ''; !stopping; await pause(20)) {
    const { state, error, lanes } = processor.stats()
    if (state === 'failed') throw new Error(`bars: ${error}`)
    const positions = JSON.stringify(lanes.map(({ partition, position }) => [partition, position]))
    if (positions !== told) tell({ positions: lanes.map(({ partition, position }) => [partition, position]) })
    told = positions
  }
}

async function consume(): Promise<void> {
  const fields = fieldsOf('trade')
  const { trade_id: tradeId } = fields
  const shaken = new Set<string>()
  const committedTold = new Map<number, number>()
  const handler = async (batch: Batch, context: HandlerContext): Promise<{ failed: FailedRecord[] } | undefined> => {
    const { partition, offset, count } = batch
    for (const { partition: p, generation, committed } of consumer?.assigned ?? []) {
      if (committedTold.get(p) === committed) continue
      committedTold.set(p, committed)
      tap({ k: 'committed', partition: p, generation, offset: committed })
    }
    const view = batch.view()
    if (view === undefined) throw new Error(`a batch that is none at ${partition}/${offset}`)
    const failed: FailedRecord[] = []
    if (view.name === 'trade' && tradeId !== undefined) {
      for (const index of context.only ?? Array.from({ length: view.count }, (_, i) => i)) {
        const id = view.number(tradeId, index)
        const position = `${partition}/${offset}/${index}`
        if (suite.isPoison(id)) failed.push({ index, error: new Error(`poison ${id}`) })
        else if (suite.isShaky(id) && !shaken.has(position)) {
          shaken.add(position)
          failed.push({ index, error: Object.assign(new Error(`shaky ${id}`), { code: 'ETIMEDOUT' }) })
        }
      }
    }
    if (context.attempt === 0) {
      tap({ k: 'batch', partition, generation: context.generation, offset, count, failed: failed.map(({ index }) => index) })
    } else {
      for (const index of context.only ?? []) {
        if (!failed.some((each) => each.index === index)) tap({ k: 'retried', partition, offset, index })
      }
    }
    return failed.length > 0 ? { failed } : undefined
  }
  const consumer = await log.consumer({
    group: suite.consumerGroup,
    topics: [suite.trades],
    durable: true,
    handler,
    heartbeatMs: 20,
    retryPolicies: { TRANSIENT: { retriesMax: 5, delayMsMin: 5, delayMsMax: 50 } },
    onAssigned: ({ partition, generation, offset }) => tap({ k: 'assigned', partition, generation, offset }),
    onHole: ({ partition, from, to, reason }) => tap({ k: 'hole', partition, from, to, reason }),
    onError: (error) => tap({ k: 'note', text: String(error) }),
  })
  stop = () => consumer.stop()
  tell('ready')
  while (!stopping) {
    await pause(20)
    if (stopping) break
    const retries = consumer.assigned.reduce((sum, each) => sum + each.retriesWaiting, 0)
    tell({ committed: consumer.assigned.map(({ partition, committed }) => [partition, committed]), retries })
    await log.keepHouse()
  }
}

await (orders.role === 'ingest' ? ingest() : orders.role === 'bars' ? runBars() : consume())
