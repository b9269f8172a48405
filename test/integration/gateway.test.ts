/** The gateway on a real log over real sockets, with `ws` and with the browser's client. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import WebSocket from 'ws'
import { Metrics } from '../../src/core/index.js'
import { createInstruments, type NativeInstruments } from '../../src/native/instruments.js'
import { type NativeLog, openNativeAppender, openNativeLog } from '../../src/native/log.js'
import { collectGateway, createGateway, type Gateway, type GatewayOptionsInput } from '../../src/stream/index.js'
import { type SocketLike, StreamClient } from '../../src/web/client.js'
import { type BatchView, decodeRecord } from '../../src/wire/index.js'
import { tradeRun } from '../support/batches.js'
import { until } from '../support/until.js'

const TOPIC = 'market.crypto.trades.binance'
const ID = (1 << 24) + 1

let directory: string
let log: NativeLog
let instruments: NativeInstruments
let gateway: Gateway | undefined
const clients: StreamClient[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tickwire-gateway-'))
  log = openNativeLog(directory, {})
  log.ensureTopic({ name: TOPIC, partitions: 2 })
  instruments = createInstruments()
  for (const n of [0, 1, 2]) instruments.add(ID + n, `S${n + 1}`, -2, 0)
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await gateway?.stop()
  gateway = undefined
  rmSync(directory, { recursive: true, force: true })
})

async function start(options: GatewayOptionsInput = {}): Promise<number> {
  gateway = createGateway({ logs: [log], instruments }, { port: 0, topics: [TOPIC], page: false, ...options })
  return (await gateway.start()).port
}
async function connect(port: number): Promise<StreamClient> {
  const client = new StreamClient(new WebSocket(`ws://127.0.0.1:${port}/stream`) as unknown as SocketLike)
  clients.push(client)
  await client.opened
  return client
}
function publisher(partition = 0, instrument = ID): (count: number) => void {
  const appender = openNativeAppender(log, TOPIC, partition)
  let next = 1
  return (count) => {
    expect(appender.append(1, 'k', tradeRun(next, count, { instrument }), 1_700_000_000_000_000_000n)).toBe(0)
    next += count
  }
}

test('snapshot, then live, without a hole or a repeat', async () => {
  const publish = publisher()
  publish(100)
  const client = await connect(await start())
  const seen: string[] = []
  const subscription = client.subscribe({ topic: TOPIC, symbols: ['*'] }, (batch, index, kind) => {
    seen.push(`${kind} ${batch.number({ kind: 'u32', offset: 16 }, index)}`)
  })
  await subscription.live
  expect(seen).toEqual(['snapshot 100'])
  for (let i = 0; i < 200; i++) publish(1 + (i % 7))
  const total = Array.from({ length: 200 }, (_, i) => 1 + (i % 7)).reduce((a, b) => a + b)
  await until('all trades', () => seen.length === total + 1)
  expect(subscription.counts).toMatchObject({ accepted: total + 1, missing: 0, repeats: 0, dropped: 0, conflated: 0 })
  const [stats] = await client.stats()
  expect(stats).toMatchObject({ offered: total, delivered: total, conflated: 0, dropped: 0 })
})

test('binary and JSON frames say the same', async () => {
  const port = await start()
  const client = await connect(port)
  const binary: unknown[] = []
  await client.subscribe({ topic: TOPIC, symbols: ['S1'] }, (batch: BatchView, index: number) => {
    binary.push(decodeRecord(batch, index, (id) => client.instruments.get(id)))
  }).live
  const json: unknown[] = []
  const socket = new WebSocket(`ws://127.0.0.1:${port}/stream`)
  socket.on('message', (data, isBinary) => {
    expect(isBinary).toBe(false)
    const message = JSON.parse(String(data))
    if (message.records !== undefined) json.push(...message.records)
  })
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send(JSON.stringify({ op: 'subscribe', topic: TOPIC, symbols: ['S1'], format: 'json' }))
  await until('both subscribed', () => gateway?.stats().subscriptions === 2)
  const publish = publisher()
  const other = publisher(1, ID + 1)
  for (let i = 0; i < 20; i++) {
    publish(5)
    other(3)
  }
  await until('all records', () => binary.length === 100 && json.length === 100)
  console.log(`compared ${binary.length} records, binary with JSON`)
  expect(json).toEqual(binary)
  socket.close()
})

test('a client that does not read loses records with exact notices, another none', async () => {
  const port = await start({ limits: { clientBytes: 32 << 10, sendBufferBytes: 8 << 10 } })
  const stalled = new WebSocket(`ws://127.0.0.1:${port}/stream`)
  await new Promise((resolve) => stalled.once('open', resolve))
  let received = 0
  let noticed = 0
  let stats: { offered: number; delivered: number; dropped: number } | undefined
  stalled.on('message', (data, isBinary) => {
    if (isBinary) {
      const bytes = new Uint8Array(data as Buffer)
      if (bytes[1] === 0) received += bytes.byteLength > 16 ? countOf(bytes.slice(16)) : 0
      return
    }
    const message = JSON.parse(String(data))
    if (message.op === 'gap') for (const gap of message.gaps) noticed += gap.count
    if (message.op === 'stats') stats = message.subscriptions[0]
  })
  stalled.send(JSON.stringify({ op: 'subscribe', topic: TOPIC, symbols: ['*'] }))
  const quick = await connect(port)
  const subscription = quick.subscribe({ topic: TOPIC, symbols: ['*'] }, () => undefined)
  await subscription.live
  await until('both subscribed', () => gateway?.stats().subscriptions === 2)
  stalled.pause()
  const publish = publisher()
  const total = 60_000
  for (let i = 0; i < total / 50; i++) {
    publish(50)
    const wanted = (i + 1) * 50
    if (i % 4 === 3) await until('the quick client keeps up', () => subscription.counts.accepted >= wanted)
  }
  await until('drops', () => (gateway?.stats().dropped ?? 0) > 0)
  expect(subscription.counts).toMatchObject({ accepted: total, missing: 0, dropped: 0 })
  stalled.send(JSON.stringify({ op: 'stats' }))
  stalled.resume()
  await until('the stats answer', () => stats !== undefined)
  console.log(`offered ${total}, received ${received}, told of ${noticed} dropped`)
  expect(stats).toMatchObject({ offered: total, delivered: received, dropped: noticed })
  expect(received + noticed).toBe(total)
  stalled.terminate()
})

test('metrics and stats close: offered = delivered + conflated + dropped', async () => {
  const client = await connect(await start())
  const metrics = new Metrics()
  const end = metrics.onCollect(() => collectGateway(metrics, (gateway as Gateway).stats()))
  const subscription = client.subscribe({ topic: TOPIC, mode: 'conflate', intervalMs: 20 }, () => undefined)
  await subscription.live
  const publish = publisher()
  for (let i = 0; i < 100; i++) publish(10)
  await until('everything offered', () => gateway?.stats().offered === 1000)
  const [stats] = await client.stats()
  expect((stats?.delivered ?? 0) + (stats?.conflated ?? 0)).toBe(1000)
  await until('the last value', () => subscription.counts.accepted + subscription.counts.conflated >= (stats?.delivered ?? 1))
  expect(await metrics.text()).toContain('tickwire_stream_offered_total 1000')
  end()
})

test('bad options and a taken port are clear errors', async () => {
  expect(() => createGateway({ logs: [log], instruments }, { port: 70000 })).toThrow()
  expect(() => createGateway({ logs: [log], instruments }, { topics: ['no topic!'], page: false })).toThrow("not a topic's name")
  const port = await start()
  const second = createGateway({ logs: [log], instruments }, { port, page: false })
  await expect(second.start()).rejects.toThrow(`127.0.0.1:${port}`)
  await second.stop()
})

test('an instrument of another process is asked for and then named', async () => {
  const asked: number[] = []
  gateway = createGateway(
    {
      logs: [log],
      instruments,
      loadInstruments: async (id) => {
        asked.push(id)
        instruments.add(id, 'LATE', -2, 0)
      },
    },
    { port: 0, topics: [TOPIC], page: false, instrumentWaitMs: 60_000 },
  )
  const client = await connect((await gateway.start()).port)
  const subscription = client.subscribe({ topic: TOPIC, symbols: ['LATE'] }, () => undefined)
  await subscription.live
  publisher(0, ID + 77)(3)
  await until('the records of the late instrument', () => subscription.counts.accepted === 3)
  expect(asked).toEqual([ID + 77])
  expect(client.instruments.get(ID + 77)?.symbol).toBe('LATE')
})

test('a worker with a running gateway may be terminated, 100 times', async () => {
  publisher()(50)
  for (let round = 0; round < 100; round++) {
    const worker = new Worker(new URL('../support/gateway-worker.mjs', import.meta.url), {
      workerData: { directory, topic: TOPIC },
    })
    const port = await new Promise<number>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    if (round % 10 === 0) await connect(port)
    await worker.terminate()
  }
}, 60_000)

const countOf = (batch: Uint8Array): number => new DataView(batch.buffer).getUint32(batchCountAt(batch), true)
function batchCountAt(batch: Uint8Array): number {
  const data = new DataView(batch.buffer)
  const table = data.getInt32(0, true)
  const vtable = table - data.getInt32(table, true)
  return table + data.getUint16(vtable + 8, true)
}
