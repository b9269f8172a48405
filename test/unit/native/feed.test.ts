import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createFeed, detectCapture, frameKind } from '../../../src/native/feed.js'
import { type FeedLog, feedLog } from '../../support/feed-log.js'
import { until } from '../../support/until.js'

const EXCHANGE = 9
const TOKEN = 408065

/** A Kite frame with one ltp packet (8 bytes, big-endian). */
function ltpFrame(token: number, price: number): Buffer {
  const frame = Buffer.alloc(12)
  frame.writeUInt16BE(1, 0)
  frame.writeUInt16BE(8, 2)
  frame.writeUInt32BE(token, 4)
  frame.writeInt32BE(price, 8)
  return frame
}

let open: FeedLog | undefined
afterEach(() => {
  open?.close()
  open = undefined
})

function setUp(): FeedLog {
  open = feedLog(EXCHANGE)
  open.instruments.add(EXCHANGE * 0x100_0000 + 1, 'INFY', -4, 0)
  return open
}

test('live frames become records in the log, counted at every hop', async () => {
  const { batcher } = setUp()
  const feed = createFeed({
    batcher,
    venue: 'kite',
    exchange: EXCHANGE,
    source: 1,
    epoch: 1_700_000_000,
    policy: 'drop',
    live: true,
  })
  expect(feed.addInstrument(EXCHANGE * 0x100_0000 + 1, '', TOKEN)).toBe(true)
  expect(feed.addInstrument(77, '', 1)).toBe(false)
  for (let i = 0; i < 100; i++) feed.push(ltpFrame(TOKEN, 150_000 + i), frameKind.binary)
  feed.push(ltpFrame(5, 1), frameKind.binary)
  await until('all is written', () => feed.flushed)
  const stats = feed.stats()
  expect(stats.frames).toBe(101)
  expect(stats.records - stats.clocks).toBe(100)
  expect(stats.reasons.unknown_instrument).toBe(1)
  expect(stats.unknown).toEqual(['5'])
  expect(stats.decodeNs.count).toBe(101)
  expect(stats.ringNs.count).toBe(stats.records)
  const written = batcher.stats()
  expect(written.records - written.clocks).toBe(100)
  expect(written.totalNs.count).toBeGreaterThan(0)
  expect(written.lost + written.unrouted).toBe(0)
  while (!feed.finish()) await new Promise((resolve) => setImmediate(resolve))
  feed.stop()
  feed.push(ltpFrame(TOKEN, 1), frameKind.binary)
  expect(feed.stats().frames).toBe(101)
})

test('a reconnect opens a higher epoch, and a tick moves the clock', () => {
  const { batcher } = setUp()
  const feed = createFeed({ batcher, venue: 'kite', exchange: EXCHANGE, source: 1, epoch: 1_700_000_000, policy: 'drop' })
  feed.addInstrument(EXCHANGE * 0x100_0000 + 1, '', TOKEN)
  const start = 1_700_000_000_000_000_000n
  feed.push(ltpFrame(TOKEN, 1), frameKind.binary, start)
  feed.tick(start + 1_000_000_000n)
  expect(feed.stats().clocks).toBe(10)
  expect(feed.reconnect(5)).toBe(1_700_000_001)
  feed.push(ltpFrame(TOKEN, 2), frameKind.binary, start + 2_000_000_000n)
  expect(feed.stats().gaps).toBe(1)
  feed.stop()
})

test('wrong arguments are type errors that name the argument', () => {
  const { batcher } = setUp()
  expect(() => createFeed({ batcher, venue: 'nowhere', exchange: 1, source: 0, policy: 'drop' })).toThrow('unknown venue nowhere')
  expect(() => createFeed({ batcher, exchange: 1, source: 0, policy: 'later' as 'drop' })).toThrow('policy')
  expect(() => createFeed({ batcher: {} as typeof batcher, exchange: 1, source: 0, policy: 'drop' })).toThrow('NativeBatcher')
  const feed = createFeed({ batcher, venue: 'kite', exchange: EXCHANGE, source: 1, policy: 'drop' })
  expect(() => feed.push('text' as unknown as Uint8Array, 1)).toThrow('Uint8Array')
  expect(() => feed.push(new Uint8Array(1), 9 as 1)).toThrow('kind')
  expect(() => feed.addLane('csv' as 'lines')).toThrow('no capture format csv')
  expect(() => feed.chunk(3, new Uint8Array(1), true)).toThrow('no such lane')
  expect(() => feed.openSource('csv', '{')).toThrow()
  expect(() => batcher.addRoute(1, 'trades', 'no.such.topic')).toThrow('does not exist')
  expect(() => feed.recordTo('/nowhere/at/all')).toThrow('/nowhere/at/all')
  feed.stop()
})

test('a recording holds every frame and is recognised', async () => {
  const { batcher } = setUp()
  const folder = mkdtempSync(join(tmpdir(), 'tw-record-'))
  const file = join(folder, 'a.twc')
  const feed = createFeed({ batcher, venue: 'kite', exchange: EXCHANGE, source: 1, epoch: 1_700_000_000, policy: 'drop' })
  feed.recordTo(file)
  for (let i = 0; i < 10; i++) feed.push(ltpFrame(TOKEN, i), frameKind.binary)
  expect(feed.stats().recording.frames).toBe(10)
  feed.stop()
  expect(detectCapture(readFileSync(file))).toBe('recorder')
  rmSync(folder, { recursive: true })
})
