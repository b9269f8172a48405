import { expect, test } from 'vitest'
import { createAdapter, type FeedPort, type SocketLike } from '../../../src/adapters/index.js'
import { FakeClock, settle } from '../../support/fake-clock.js'

class FakeSocket implements SocketLike {
  readonly sent: { method: string; params: string[] }[] = []
  isClosed = false
  #open: (() => void)[] = []
  #close: ((code: number, reason: string) => void)[] = []
  message: (frame: Uint8Array, isText: boolean) => void = () => {}
  send = (text: string) => void this.sent.push(JSON.parse(text))
  close = () => {
    this.isClosed = true
  }
  terminate = () => this.close()
  onOpen = (handler: () => void) => void this.#open.push(handler)
  onMessage = (handler: (frame: Uint8Array, isText: boolean) => void) => {
    this.message = handler
  }
  onPing = () => {}
  onClose = (handler: (code: number, reason: string) => void) => void this.#close.push(handler)
  opens(): void {
    for (const handler of this.#open) handler()
  }
  drops(): void {
    this.isClosed = true
    for (const handler of this.#close) handler(1006, 'cut')
  }
}

async function begin(symbols: readonly string[], extra: Record<string, number> = {}) {
  const clock = new FakeClock()
  const sockets: FakeSocket[] = []
  const seen = { frames: 0, reopened: 0 }
  const port: FeedPort = {
    push: () => void seen.frames++,
    pushRest: () => {},
    reopen: async () => void seen.reopened++,
    takeRequests: () => [],
  }
  const connect = () => {
    const socket = new FakeSocket()
    sockets.push(socket)
    return socket
  }
  const fetch = async () => ({ status: 500, body: new Uint8Array() })
  const ports = { clock, random: () => 1, connect, fetch, log: () => {} }
  const adapter = createAdapter('binance', { symbols, channels: ['trades'], silenceMaxMs: 1e9, ...extra }, ports)
  await adapter.start(port)
  const socket = (index: number): FakeSocket => {
    const one = sockets[index]
    if (one === undefined) throw new Error(`only ${sockets.length} connections were made`)
    return one
  }
  return { clock, sockets, socket, seen, adapter }
}

test('a rotation of many streams takes over when all of them are subscribed', async () => {
  const symbols = Array.from({ length: 1000 }, (_, i) => `S${i}`)
  const { clock, socket, adapter } = await begin(symbols, { rotateAfterMs: 60_000 })
  socket(0).opens()
  await clock.advance(60_000)
  socket(1).opens()
  await clock.advance(2_000)
  expect(socket(0).isClosed).toBe(false)
  await clock.advance(8_000)
  expect(socket(0).isClosed).toBe(true)
  expect(adapter.stats().rotations).toBe(1)
  // The path carries the first hundred.
  expect(new Set(socket(1).sent.flatMap((message) => message.params)).size).toBe(900)
})

test('a connection lost during a rotation leaves one connection, not two', async () => {
  const { clock, sockets, socket, seen } = await begin(['BTCUSDT'], { rotateAfterMs: 60_000 })
  socket(0).opens()
  await clock.advance(60_000)
  expect(sockets).toHaveLength(2)
  socket(0).drops()
  await clock.advance(1_000)
  expect(sockets).toHaveLength(3)
  socket(2).opens()
  await clock.advance(10_000)
  expect(sockets.filter((one) => !one.isClosed)).toEqual([socket(2)])
  expect(seen.reopened).toBe(1)
})

test('a venue that accepts and closes at once is asked less and less often', async () => {
  const { clock, sockets, socket } = await begin(['BTCUSDT'])
  const waits: number[] = []
  for (let i = 0; i < 5; i++) {
    const from = clock.monotonicMs()
    socket(i).opens()
    socket(i).drops()
    while (sockets.length === i + 1) await clock.advance(50)
    waits.push(clock.monotonicMs() - from)
  }
  expect(waits).toEqual([250, 500, 1000, 2000, 4000])
  socket(5).opens()
  await clock.advance(30_000)
  socket(5).drops()
  await clock.advance(250)
  expect(sockets).toHaveLength(7)
})

test('nothing reaches the feed after the stop', async () => {
  const { socket, seen, adapter } = await begin(['BTCUSDT'])
  socket(0).opens()
  socket(0).message(new Uint8Array(), true)
  await adapter.stop()
  socket(0).message(new Uint8Array(), true)
  await settle()
  expect(seen.frames).toBe(1)
})
