/** The demo's course: start, two mishaps, the sum. */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SimulatedBinance } from '../../test/support/venues/binance/server.js'
import { delay, systemClock } from '../core/clock.js'
import { silentLogger } from '../core/logging.js'
import { verifyLog } from '../native/journal-admin.js'
import { tryLockFile } from '../native/lock.js'
import { loadSettings, openRuntime, type Runtime, replicatedTopics, servicesOf, startUp, type Up } from '../services/index.js'
import { MarketTable } from './market-table.js'
import { CountingSubscriber } from './subscribers.js'
import { type Sum, sumOk, sumText } from './sum.js'

export interface DemoOptions {
  /** Ends by itself after this many seconds; 0: runs until interrupted. */
  readonly seconds: number
  readonly port: number
  readonly seed: number
  /** Market events per second over all symbols. */
  readonly rate: number
  /** Brokers: the whole demo on a Kafka cluster. */
  readonly kafka?: string | undefined
  readonly signal: AbortSignal
  readonly out: NodeJS.WriteStream
}

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'BNBUSDT', 'XRPUSDT', 'DOGEUSDT']
const RING_SLOTS = 1024
const DRAW_MS = 500
const LINE_MS = 5000
const STALL_CLIENT_AT = 0.25 // Of the run.
const STALL_LOG_AT = 0.5
const STALLED_FOR = 0.2
const SETTLE_MS = 15_000

/** Exit code: 0, or 1 when produced ≠ delivered + gaps. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-demo-'))
  const venue = new SimulatedBinance({ seed: options.seed, eventsPerSecond: options.rate })
  let runtime: Runtime | undefined
  let up: Up | undefined
  const subscribers: CountingSubscriber[] = []
  try {
    await venue.start()
    const settings = demoSettings(directory, venue, options)
    runtime = await openRuntime({ settings, service: 'demo', logger: silentLogger })
    venue.pause()
    up = await startUp(runtime, servicesOf(settings))
    const port = up.parts.stream?.gateway.port ?? 0
    const url = `http://127.0.0.1:${port}/`
    options.out.write(
      `live bars:  ${url}\nhealth:     ${up.http.url}/health   metrics: ${up.http.url}/metrics\ndata:       ${directory}\n` +
        (options.kafka === undefined ? '\n' : `cluster:    ${options.kafka}\n\n`),
    )

    const table = new MarketTable((id) => runtime?.scaleOf(id))
    const checker = new CountingSubscriber(`ws://127.0.0.1:${port}/stream`)
    const slow = new CountingSubscriber(`ws://127.0.0.1:${port}/stream`)
    subscribers.push(checker, slow)
    const topic = (type: string) => (runtime as Runtime).topics.buildTopicName('crypto', type, 'binance')
    for (const type of ['trades', 'quotes', 'ohlcv'])
      await checker.subscribe(topic(type), (batch, index) => table.take(batch, index))
    for (const type of ['trades', 'quotes']) await slow.subscribe(topic(type))
    venue.resume()
    await course(options, venue, runtime, up, slow, table)
    venue.pause()
    const sum = await settle(options.out, venue, runtime, up, checker, slow)
    options.out.write(sumText(sum))
    return sumOk(sum) ? 0 : 1
  } finally {
    for (const subscriber of subscribers) subscriber.close()
    await up?.stop()
    await runtime?.close()
    await venue.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

function demoSettings(directory: string, venue: SimulatedBinance, { port, kafka }: DemoOptions) {
  return loadSettings({
    environment: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('KAFKA_SASL'))),
    given: {
      data_dir: directory,
      ...(kafka === undefined ? {} : { kafka: { brokers: kafka, profile: 'latency' } }),
      ingestion: {
        feeds: [
          {
            exchange: 'binance',
            symbols: SYMBOLS,
            channels: ['trades', 'quotes'],
            depth_levels: 5,
            ring_slots: RING_SLOTS,
            stream_url: venue.streamUrl,
            rest_url: venue.restUrl,
          },
        ],
      },
      bars: { intervals: ['1s', '1m'] },
      stream: { port, client_bytes_max: 65_536 },
      http: { port: 0 },
    },
  })
}

/** Runs for the time asked, draws, and lets two things go wrong once: a subscriber stops reading, a partition stops taking. */
async function course(
  options: DemoOptions,
  venue: SimulatedBinance,
  runtime: Runtime,
  up: Up,
  slow: CountingSubscriber,
  table: MarketTable,
): Promise<void> {
  const clock = systemClock
  const started = clock.monotonicMs()
  const seconds = options.seconds > 0 ? options.seconds : 60
  const endMs = options.seconds > 0 ? seconds * 1000 : Number.POSITIVE_INFINITY
  const partitions = runtime.topics.getTopicConfig('crypto', 'trades', 'binance').partitions
  let held: number[] = []
  let isStalled = false
  let hasHeld = false
  let lastLineMs = -LINE_MS
  for (;;) {
    const elapsed = clock.monotonicMs() - started
    if (elapsed >= endMs || options.signal.aborted) break
    const part = elapsed / (seconds * 1000)
    const stallNow = part >= STALL_CLIENT_AT && part < STALL_CLIENT_AT + STALLED_FOR
    if (stallNow !== isStalled) {
      isStalled = stallNow
      if (stallNow) slow.stall()
      else slow.resume()
    }
    if (!hasHeld && part >= STALL_LOG_AT) {
      // What a disk that hangs looks like: the partitions' locks are not to be had until the ring has overflowed.
      held = await holdPartitions(runtime, partitions)
      hasHeld = true
    }
    if (held.length > 0 && ((up.parts.ingestion?.feeds[0]?.stats()?.refused ?? 0) > 100 || part > STALL_LOG_AT + STALLED_FOR)) {
      for (const fd of held) closeSync(fd)
      held = []
    }
    const status = statusLine(venue, up, elapsed)
    if (options.out.isTTY) table.draw(options.out, status)
    else if (elapsed - lastLineMs >= LINE_MS) {
      options.out.write(`${status}\n`)
      lastLineMs = elapsed
    }
    await delay(clock, DRAW_MS)
  }
  for (const fd of held) closeSync(fd)
  if (isStalled) slow.resume()
}

async function holdPartitions(runtime: Runtime, partitions: number): Promise<number[]> {
  const held: number[] = []
  for (let partition = 0; partition < partitions; partition++) {
    const fd = openSync(join(runtime.directory, 'topics', 'market.crypto.trades.binance', String(partition), 'lock'), 'r+')
    for (let tries = 0; tries < 200 && !tryLockFile(fd); tries++) await delay(systemClock, 1)
    held.push(fd)
  }
  return held
}

function statusLine(venue: SimulatedBinance, up: Up, elapsedMs: number): string {
  const feed = up.parts.ingestion?.feeds[0]?.stats()
  const gateway = up.parts.stream?.gateway.stats()
  const ticks = venue.produced.trades + venue.produced.quotes
  return (
    `${(elapsedMs / 1000).toFixed(0)} s  ticks ${ticks}  records ${feed?.records ?? 0}  gaps ${feed?.gaps ?? 0}  refused by the ring ${feed?.refused ?? 0}` +
    `  to subscribers ${gateway?.delivered ?? 0}, dropped for slow ones ${gateway?.dropped ?? 0}`
  )
}

/** Everything sent has arrived, been logged and been handed on; then it is counted. */
async function settle(
  out: NodeJS.WriteStream,
  venue: SimulatedBinance,
  runtime: Runtime,
  up: Up,
  checker: CountingSubscriber,
  slow: CountingSubscriber,
): Promise<Sum> {
  const feed = up.parts.ingestion?.feeds[0]
  const bars = up.parts.bars?.processors[0]
  const deadline = systemClock.monotonicMs() + SETTLE_MS
  const produced = { trades: venue.produced.trades, quotes: venue.produced.quotes }
  const kinds = ['trades', 'quotes'] as const
  const isSettled = () =>
    kinds.every((kind) =>
      [checker, slow].every((client) => {
        const { delivered, dropped, lostUpstream } = client.seen(kind)
        return delivered + dropped + lostUpstream >= produced[kind]
      }),
    )
  while (!isSettled() && systemClock.monotonicMs() < deadline) await delay(systemClock, 20)
  while ((bars?.stats()?.lanes.some((lane) => lane.position < lane.end) ?? false) && systemClock.monotonicMs() < deadline)
    await delay(systemClock, 20)

  const feedStats = feed?.stats()
  const batcher = up.parts.ingestion?.batcherStats()
  const gateway = up.parts.stream?.gateway.stats()
  const barCount = bars?.stats()?.lanes.reduce((sum, lane) => sum + lane.appended, 0) ?? 0
  const verified = await verifyLog(runtime.directory, { hash: true })
  const cluster = await clusterHashes(out, runtime, up, deadline)
  return {
    produced,
    checker: { trades: checker.seen('trades'), quotes: checker.seen('quotes') },
    slow: { trades: slow.seen('trades'), quotes: slow.seen('quotes') },
    ticks: produced.trades + produced.quotes,
    records: feedStats?.records ?? 0,
    gapRecords: feedStats?.gaps ?? 0,
    refused: feedStats?.refused ?? 0,
    bookMismatches: feedStats?.books.mismatches ?? 0,
    bars: barCount,
    framesOut: gateway?.framesSent ?? 0,
    dropped: gateway?.dropped ?? 0,
    bytesPerTick: (batcher?.bytes ?? 0) / Math.max(1, batcher?.records ?? 1),
    hops: [
      { hop: 'decode', p50: feedStats?.decodeNs.p50 ?? 0, p99: feedStats?.decodeNs.p99 ?? 0 },
      { hop: 'receive to batcher', p50: feedStats?.ringNs.p50 ?? 0, p99: feedStats?.ringNs.p99 ?? 0 },
      { hop: 'append', p50: batcher?.appendNs.p50 ?? 0, p99: batcher?.appendNs.p99 ?? 0 },
      { hop: 'receive to log', p50: batcher?.totalNs.p50 ?? 0, p99: batcher?.totalNs.p99 ?? 0 },
      { hop: 'log to socket', p50: gateway?.appendToSendNsP50 ?? 0, p99: gateway?.appendToSendNsP99 ?? 0 },
      { hop: 'receive to socket', p50: gateway?.receiveToSendNsP50 ?? 0, p99: gateway?.receiveToSendNsP99 ?? 0 },
    ],
    damage: verified.damageCount,
    hash: verified.hash ?? '',
    ...(cluster === undefined ? {} : { cluster }),
  }
}

/** What was ingested, hashed in the local log and in the cluster; a cluster that was used before holds older sessions beside it. */
async function clusterHashes(out: NodeJS.WriteStream, runtime: Runtime, up: Up, deadline: number): Promise<Sum['cluster']> {
  const { kafka } = runtime
  const replicator = up.parts.ingestion?.replicator
  if (kafka === undefined || replicator === undefined) return undefined
  const topics = replicatedTopics(runtime)
    .filter(({ dataType }) => dataType !== undefined && dataType !== 'gaps' && dataType !== 'reference_data')
    .map(({ name }) => name)
  const wanted = { hash: true, topics, epochMin: up.parts.ingestion?.feeds[0]?.epoch ?? 0 }
  const local = (await verifyLog(runtime.local.native, wanted)).hash ?? ''
  const waiting = (): number => replicator.stats()?.topics.reduce((sum, { lag }) => sum + lag, 0) ?? 0
  let remote = ''
  let toldMs = systemClock.monotonicMs()
  // The lag is never nothing for long: clocks go on. What was ingested is there when the hashes agree.
  do {
    remote = (await verifyLog(kafka.native, wanted)).hash ?? ''
    if (remote === local) break
    if (systemClock.monotonicMs() - toldMs >= LINE_MS) {
      out.write(`waiting for the brokers: ${waiting()} records\n`)
      toldMs = systemClock.monotonicMs()
    }
    await delay(systemClock, 100)
  } while (systemClock.monotonicMs() < deadline + SETTLE_MS)
  const stats = replicator.stats()
  return {
    local,
    kafka: remote,
    records: stats?.records ?? 0,
    messages: stats?.messages ?? 0,
    waiting: remote === local ? 0 : waiting(),
    viewRecords: up.parts.views?.publisher.stats()?.records ?? 0,
  }
}
