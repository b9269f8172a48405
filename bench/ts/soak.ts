/**
 * The soak: one process with feed, batcher, log, bars and gateway, and a subscriber in another. Samples the engine's anonymous
 * memory (mapped segments are the page cache's) and the growth of JavaScript's heap between collections.
 */
import { fork } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import WebSocket from 'ws'
import { openLog } from '../../src/log/index.js'
import { createBatcher, createFeed, frameKind } from '../../src/native/feed.js'
import { createInstruments } from '../../src/native/instruments.js'
import { createBars } from '../../src/processors/bars/index.js'
import { createGateway } from '../../src/stream/index.js'
import { type SocketLike, StreamClient } from '../../src/web/client.js'
import { defaultSymbols } from '../../test/support/venues/binance/market.js'
import { scratch } from './records.js'

const TRADES = 'market.crypto.trades.binance'
const BARS = 'market.crypto.ohlcv.binance'
const EXCHANGE = 1
const PARTITIONS = 4
const SAMPLE_MS = 1_000
const HOUSE_MS = 2_000
const HEAP_MS = 50
const SLOPE_MAX_MB = 1
const seconds = Number(process.env.SOAK_SECONDS ?? 120)
const rate = Number(process.env.SOAK_RATE ?? 50_000)
const warmUpMs = Math.min(30, seconds / 3) * 1_000
const MEGABYTE = 1 << 20
const ZERO = 48
const NINE = 57

if (process.argv[2] === 'subscriber') {
  await subscribe(Number(process.argv[3]))
  process.exit(0)
}

/** Counts trades and bars until the gateway goes away. */
async function subscribe(port: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/stream`)
  const client = new StreamClient(socket as unknown as SocketLike)
  await client.opened
  const trades = client.subscribe({ topic: TRADES, symbols: ['*'] }, () => {})
  const bars = client.subscribe({ topic: BARS, symbols: ['*'] }, () => {})
  await Promise.all([trades.live, bars.live])
  process.send?.('live')
  await new Promise((resolve) => process.once('message', resolve))
  process.send?.({ trades: trades.counts, bars: bars.counts })
  client.close()
}

/** A trade frame whose numbers are written in place: no allocation per tick on this side either. */
class Frame {
  readonly bytes: Buffer
  readonly #idAt: number
  readonly #timesAt: readonly number[]
  #timeMs = 0

  constructor(symbol: string) {
    const id = '1000000000'
    const time = '1700000000000'
    const text =
      `{"stream":"${symbol.toLowerCase()}@trade","data":{"e":"trade","E":${time},"s":"${symbol}","t":${id},` +
      `"p":"61837.63000000","q":"0.02000000","T":${time},"m":true,"M":true}}`
    this.bytes = Buffer.from(text)
    this.#idAt = text.indexOf(id)
    this.#timesAt = [text.indexOf(time), text.lastIndexOf(time)]
  }

  /** The next trade: its id counted up digit by digit, in small integers. */
  next(): Buffer {
    let at = this.#idAt + 9
    while (this.bytes[at] === NINE) this.bytes[at--] = ZERO
    this.bytes[at] = (this.bytes[at] ?? ZERO) + 1
    return this.bytes
  }

  at(timeMs: number): void {
    if (timeMs === this.#timeMs) return
    this.#timeMs = timeMs
    const text = String(timeMs)
    for (const at of this.#timesAt) this.bytes.write(text, at, 'latin1')
  }
}

/** RssAnon of this process, in bytes. */
function anonymous(): number {
  const kilobytes = /RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  if (kilobytes === undefined) throw new Error('this kernel tells no RssAnon')
  return Number(kilobytes) * 1024
}

/** Least squares: growth per minute of (seconds, bytes) pairs. */
function slopePerMinute(samples: readonly (readonly [number, number])[]): number {
  const meanX = samples.reduce((sum, [x]) => sum + x, 0) / samples.length
  const meanY = samples.reduce((sum, [, y]) => sum + y, 0) / samples.length
  const over = samples.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const under = samples.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return (over / under) * 60
}

const directory = scratch('soak')
const log = await openLog({ directory })
const native = log.native
if (native === undefined) throw new Error('the soak needs the embedded log')
const retention = { segmentBytes: 8 * MEGABYTE, retentionBytes: 32 * MEGABYTE }
for (const name of [TRADES, BARS]) await log.ensureTopic({ name, partitions: PARTITIONS, ...retention })
const instruments = createInstruments()
const batcher = createBatcher({ log: native, instruments })
batcher.addRoute(EXCHANGE, 'trades', TRADES)
batcher.start()
const feed = createFeed({ batcher, venue: 'binance', exchange: EXCHANGE, source: 0, epoch: 1, policy: 'drop', live: true })
const frames = defaultSymbols.map(({ symbol }, index) => {
  const id = (EXCHANGE << 24) | (index + 1)
  instruments.add(id, symbol, -8, -8)
  feed.addInstrument(id, symbol, 0)
  return new Frame(symbol)
})
const bars = createBars({ log: native, inputs: [TRADES], output: BARS, intervals: ['1s', '1m'] })
bars.start()
const gateway = createGateway({ logs: [native], instruments }, { port: 0, topics: [TRADES, BARS], page: false })
const { port } = await gateway.start()
const subscriber = fork(fileURLToPath(import.meta.url), ['subscriber', String(port)], { execArgv: [] })
const told = (): Promise<unknown> => new Promise((resolve) => subscriber.once('message', resolve))
await told()

console.log(`soak: ${rate} ticks/s for ${seconds} s, ${frames.length} symbols, warm-up ${warmUpMs / 1000} s`)
const started = performance.now()
const samples: [number, number][] = []
let pushed = 0
let heapGrowth = 0
let heapTicks = 0
let heapAt = started
let heapPushed = 0
let heapBefore = process.memoryUsage().heapUsed
let sampleAt = started + SAMPLE_MS
let house: Promise<unknown> = Promise.resolve()
let houseAt = started + HOUSE_MS
for (;;) {
  const now = performance.now()
  const due = Math.floor(((now - started) * rate) / 1000)
  for (const frame of frames) frame.at(Date.now())
  while (pushed < due) {
    const frame = frames[pushed % frames.length]
    if (frame !== undefined) feed.push(frame.next(), frameKind.text)
    pushed++
  }
  feed.tick()
  if (now >= heapAt) {
    // A smaller heap than before: it was collected in between, and this stretch says nothing.
    heapAt = now + HEAP_MS
    const heap = process.memoryUsage().heapUsed
    if (heap >= heapBefore && now - started > warmUpMs) {
      heapGrowth += heap - heapBefore
      heapTicks += pushed - heapPushed
    }
    heapBefore = heap
    heapPushed = pushed
  }
  if (now >= sampleAt) {
    sampleAt += SAMPLE_MS
    if (now - started > warmUpMs) samples.push([(now - started) / 1000, anonymous()])
  }
  if (now >= houseAt) {
    houseAt += HOUSE_MS
    await house
    house = log.keepHouse()
  }
  if (now - started >= seconds * 1000) break
  await new Promise((resolve) => setTimeout(resolve, 2))
}
await house
while (!feed.flushed) await new Promise((resolve) => setImmediate(resolve))
const elapsed = (performance.now() - started) / 1000
while (bars.stats().lanes.some((lane) => lane.position < lane.end)) await new Promise((resolve) => setTimeout(resolve, 10))

const written = batcher.stats()
const { refused, records, gaps } = feed.stats()
const answer = told()
subscriber.send('count')
const received = JSON.stringify(await answer)
let held = 0
let offsets = 0
for (let p = 0; p < PARTITIONS; p++) {
  const partition = native.describe(TRADES, p)
  held += partition?.bytes ?? 0
  offsets += (partition?.endOffset ?? 0) - (partition?.beginOffset ?? 0)
}
const made = bars.stats().lanes.reduce((sum, lane) => sum + lane.appended, 0)
const sent = gateway.stats()
feed.stop()
bars.stop()
batcher.stop()
await gateway.stop()
await log.close()
subscriber.kill()
rmSync(join(directory), { recursive: true, force: true })

const slope = slopePerMinute(samples) / MEGABYTE
const achieved = pushed / elapsed
const last = samples.at(-1)?.[1] ?? 0
console.log(`ticks         ${pushed} pushed, ${records} records with clocks, ${gaps} gaps, ${refused} refused by the ring`)
console.log(`rate          ${achieved.toFixed(0)}/s of ${rate}/s offered`)
console.log(
  `log           ${(written.bytes / written.records).toFixed(1)} bytes per tick in batches, ${(held / offsets).toFixed(1)} with frames on disk`,
)
console.log(`bars          ${made}`)
console.log(
  `gateway       offered ${sent.offered}, delivered ${sent.delivered}, conflated ${sent.conflated}, dropped ${sent.dropped}`,
)
console.log(`subscriber    ${received}`)
console.log(
  `JS heap       ${(heapGrowth / Math.max(1, heapTicks)).toFixed(1)} bytes per tick, the loop's own timers and samples included`,
)
console.log(`RssAnon       ${(last / MEGABYTE).toFixed(1)} MB, ${slope.toFixed(2)} MB per minute over ${samples.length} samples`)
const failures = [
  ...(slope >= SLOPE_MAX_MB || samples.length < 5 ? [`memory grows by ${slope.toFixed(2)} MB a minute`] : []),
  ...(refused > 0 ? [`the ring refused ${refused} ticks`] : []),
  ...(achieved < 0.9 * rate ? [`only ${achieved.toFixed(0)} of ${rate} ticks/s were achieved`] : []),
]
for (const failure of failures) console.error(`soak: ${failure}`)
process.exit(failures.length === 0 ? 0 : 1)
