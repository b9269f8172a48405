/**
 * pipeline.latency: tick in to WebSocket client, 10 clients in a process of their own, open loop: the clock of a tick starts when it
 * was due. Both run at 60 % of the peer's measured capacity. Peer: JSON.parse and `ws`, one message a tick to each client.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import { createBatcher, createFeed, frameKind } from '../../src/native/feed.js'
import { createInstruments } from '../../src/native/instruments.js'
import { openNativeLog } from '../../src/native/log.js'
import { createGateway } from '../../src/stream/index.js'
import { emit, median, pairs, scale } from './compare.js'
import { type Measured, measure } from './latency-clients.js'
import { scratch } from './records.js'

const CLIENTS = 10
const EXCHANGE = 1
const ID = (EXCHANGE << 24) | 1
const TOPIC = 'market.crypto.trades.bench'
const SHARE_OF_CAPACITY = 0.6
const seconds = Math.max(0.3, 2.5 * scale())

if (process.argv[2] === 'clients') {
  await measure()
  process.exit(0)
}

const frameOf = (id: number): Buffer =>
  Buffer.from(
    `{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":${id},"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}`,
  )

interface Side {
  readonly port: number
  readonly kind: 'ours' | 'theirs'
  push(frame: Buffer): void
  stop(): Promise<void>
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))
let run = 0
async function ours(): Promise<Side> {
  run += 1
  const directory = join(scratch('latency'), String(run))
  mkdirSync(directory)
  const log = openNativeLog(directory, {})
  log.ensureTopic({ name: TOPIC, partitions: 1 })
  const instruments = createInstruments()
  instruments.add(ID, 'BTCUSDT', -8, -8)
  const batcher = createBatcher({ log, instruments })
  batcher.addRoute(EXCHANGE, 'trades', TOPIC)
  batcher.start()
  const feed = createFeed({ batcher, venue: 'binance', exchange: EXCHANGE, source: 0, epoch: 1, policy: 'block', live: true })
  feed.addInstrument(ID, 'BTCUSDT', 0)
  const gateway = createGateway({ logs: [log], instruments }, { port: 0, topics: [TOPIC], page: false })
  const { port } = await gateway.start()
  return {
    port,
    kind: 'ours',
    push: (frame) => feed.push(frame, frameKind.text),
    stop: async () => {
      feed.stop()
      batcher.stop()
      await gateway.stop()
    },
  }
}

async function theirs(): Promise<Side> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    kind: 'theirs',
    push: (frame) => {
      const trade = JSON.parse(frame.toString()) as { s: string; t: number; p: string; q: string; T: number; m: boolean }
      const text = JSON.stringify({
        symbol: trade.s,
        id: trade.t,
        price: Number(trade.p),
        size: Number(trade.q),
        time: trade.T,
        side: trade.m ? 'sell' : 'buy',
      })
      for (const client of server.clients) client.send(text)
    },
    stop: async () => {
      for (const client of server.clients) client.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Pushes `ticks` at the rate (0: as fast as it goes) and answers what the clients measured. */
async function drive(side: Side, ticks: number, perSecond: number): Promise<Measured> {
  const clients = fork(fileURLToPath(import.meta.url), ['clients'], { execArgv: [] })
  try {
    const inbox: unknown[] = []
    let wake = () => {}
    clients.on('message', (message) => {
      inbox.push(message)
      wake()
    })
    const next = async (): Promise<unknown> => {
      while (inbox.length === 0) {
        if (clients.exitCode !== null) throw new Error('the clients ended')
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return inbox.shift()
    }
    const startNs = (): bigint => process.hrtime.bigint()
    clients.send({ port: side.port, kind: side.kind, clients: CLIENTS, ticks, topic: TOPIC })
    await next() // Ready.
    const begin = startNs() + 20_000_000n
    clients.send({ begin: begin.toString(), perSecond })
    await next() // Has them.
    const intervalNs = perSecond === 0 ? 0 : 1e9 / perSecond
    let sent = 0
    await new Promise<void>((resolve) => {
      const step = () => {
        const elapsed = Number(startNs() - begin)
        const due = perSecond === 0 ? sent + 64 : Math.floor(elapsed / intervalNs) + 1
        for (; sent < Math.min(due, ticks); sent++) side.push(frameOf(sent + 1))
        if (sent >= ticks) return resolve()
        // A feed's thread sleeps between ticks; one that spins would take a core from whoever works behind it.
        if (perSecond !== 0) Atomics.wait(sleeper, 0, 0, 0.05)
        setImmediate(step)
      }
      step()
    })
    return (await next()) as Measured
  } finally {
    clients.kill()
    await side.stop()
  }
}

const probe = await drive(await theirs(), Math.ceil(20_000 * Math.max(scale(), 0.05)), 0)
const capacity = probe.received / CLIENTS / (probe.elapsedMs / 1000)
const rate = Math.floor(capacity * SHARE_OF_CAPACITY)
const ticks = Math.ceil(rate * seconds)
const ratios: number[] = []
const our99: number[] = []
const their99: number[] = []
for (let pair = 0; pair < pairs(); pair++) {
  const a = await drive(await ours(), ticks, rate)
  const b = await drive(await theirs(), ticks, rate)
  for (const [name, side] of [
    ['ours', a],
    ['theirs', b],
  ] as const) {
    if (side.received !== ticks * CLIENTS) throw new Error(`${name}: ${side.received} of ${ticks * CLIENTS} deliveries came`)
  }
  our99.push(a.p99Us)
  their99.push(b.p99Us)
  ratios.push(b.p99Us / a.p99Us)
}
emit({
  id: 'pipeline.latency',
  peer: `JSON.parse + ws at ${rate} ticks/s, 10 clients, p99`,
  ratio: median(ratios),
  min: Math.min(...ratios),
  max: Math.max(...ratios),
  ours: median(our99),
  theirs: median(their99),
  unit: 'µs',
  hash: `${ticks * CLIENTS} deliveries`,
})
