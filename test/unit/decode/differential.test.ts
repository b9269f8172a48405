/** Native against the slow reference, on random and mutated frames; and Kite against the venue's own client. */
import { KiteTicker } from 'kiteconnect'
import { expect, test } from 'vitest'
import { decodePackets } from '../../../src/native/decode.js'
import { decodeDhanMessage } from '../../support/reference/dhan.js'
import { type Decoded, decodeKiteFrame } from '../../support/reference/kite.js'

/** xorshift32: the same frames on every run. */
function generator(seed: number) {
  let state = seed
  return (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
type Random = ReturnType<typeof generator>

function kiteFrame(random: Random): Buffer {
  const lengths = [8, 28, 32, 44, 184, 184, 184, 164, 0, 9, 43]
  const packets = Array.from({ length: random(5) }, () => {
    const packet = Buffer.alloc(lengths[random(lengths.length)] ?? 8)
    for (let i = 0; i < packet.length; i++) packet[i] = random(3) === 0 ? 0xff : random(256)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(packet.length)
    return Buffer.concat([length, packet])
  })
  const count = Buffer.alloc(2)
  count.writeUInt16BE(packets.length)
  return Buffer.concat([count, ...packets])
}

function dhanMessage(random: Random): Buffer {
  const sizes: [number, number][] = [
    [2, 16],
    [3, 112],
    [4, 50],
    [5, 12],
    [6, 16],
    [7, 8],
    [8, 162],
    [50, 10],
    [1, 40],
    [0, 8],
  ]
  return Buffer.concat(
    Array.from({ length: random(5) }, () => {
      const [code, size] = sizes[random(sizes.length)] ?? [2, 16]
      const packet = Buffer.alloc(size)
      if (code === 0) return packet
      for (let i = 0; i < size; i++) packet[i] = random(256)
      packet[0] = code
      packet.writeUInt16LE(random(6) === 0 ? random(300) : size, 1)
      return packet
    }),
  )
}

function mutate(frame: Buffer, random: Random): Buffer {
  const out = Buffer.from(frame.subarray(0, random(3) === 0 ? random(frame.length + 1) : frame.length))
  for (let i = random(4); i > 0 && out.length > 0; i--) out[random(out.length)] = random(256)
  return random(4) === 0 ? Buffer.concat([out, Buffer.alloc(random(20), random(256))]) : out
}

function compare(venue: string, make: (random: Random) => Buffer, reference: (bytes: Uint8Array) => Decoded): string {
  const random = generator(0x5eed)
  let packets = 0
  let refused = 0
  for (let i = 0; i < 5_000; i++) {
    const frame = mutate(make(random), random)
    // '{"' begins a text message for the native side; the reference knows frames alone.
    if (frame[0] === 0x7b) continue
    const { text, counts } = decodePackets(venue, frame)
    const expected = reference(frame)
    expect(counts, frame.toString('hex')).toEqual(expected.counts)
    const lines = text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
    expect(lines, frame.toString('hex')).toEqual(expected.lines)
    packets += lines.length
    refused += Object.values(counts).reduce((sum, n) => sum + n, 0)
  }
  expect(packets).toBeGreaterThan(1_000)
  expect(refused).toBeGreaterThan(100)
  return `${venue}: 5,000 frames, ${packets} packets equal, ${refused} refusals equal`
}

test('kite: native equals the reference', () => console.log(compare('kite', kiteFrame, decodeKiteFrame)))
test('dhan: native equals the reference', () => console.log(compare('dhan', dhanMessage, decodeDhanMessage)))

interface KiteTick {
  instrument_token: number
  last_price: number
  volume_traded?: number
  total_buy_quantity?: number
  total_sell_quantity?: number
  last_traded_quantity?: number
  average_traded_price?: number
  ohlc?: { open: number; high: number; low: number; close: number }
  oi?: number
  depth?: {
    buy: { quantity: number; price: number; orders: number }[]
    sell: { quantity: number; price: number; orders: number }[]
  }
}

test('kite: equal to kiteconnect where that is right', () => {
  const ticker = new KiteTicker({ api_key: 'x', access_token: 'x' }) as unknown as {
    parseBinary(buffer: ArrayBuffer): KiteTick[]
  }
  const random = generator(0xc0de)
  let compared = 0
  for (let i = 0; i < 300; i++) {
    const packet = Buffer.alloc(i % 2 === 0 ? 184 : 44)
    // Below 2^31 only: above, kiteconnect's shifts make quantities negative (the known divergence, next test).
    for (let at = 0; at < packet.length; at += 4) packet.writeUInt32BE(random(2 ** 31), at)
    packet.writeUInt32BE((random(100_000) << 8) | [1, 2, 4, 5, 7][random(5)]!, 0)
    const frame = Buffer.concat([Buffer.from([0, 1, 0, packet.length]), packet])
    const [theirs] = ticker.parseBinary(new Uint8Array(frame).buffer)
    const ours = JSON.parse(decodePackets('kite', frame).text)
    const divisor = ours.price_divisor
    const pairs: [unknown, unknown][] = [
      [theirs?.instrument_token, ours.instrument_token],
      [theirs?.last_price, ours.last_price_raw / divisor],
      [theirs?.last_traded_quantity, ours.last_traded_quantity],
      [theirs?.average_traded_price, ours.average_traded_price_raw / divisor],
      [theirs?.volume_traded, ours.volume_traded],
      [theirs?.total_buy_quantity, ours.total_buy_quantity],
      [theirs?.total_sell_quantity, ours.total_sell_quantity],
      [theirs?.ohlc?.open, ours.open_raw / divisor],
      [theirs?.ohlc?.high, ours.high_raw / divisor],
      [theirs?.ohlc?.low, ours.low_raw / divisor],
      [theirs?.ohlc?.close, ours.close_raw / divisor],
    ]
    if (packet.length === 184) {
      pairs.push([theirs?.oi, ours.oi])
      for (const side of ['buy', 'sell'] as const) {
        for (let k = 0; k < 5; k++) {
          const level = ours.depth[side][k]
          const entry = theirs?.depth?.[side][k]
          pairs.push([entry?.quantity, level.quantity], [entry?.price, level.price_raw / divisor], [entry?.orders, level.orders])
        }
      }
    }
    for (const [their, our] of pairs) {
      expect(our).toBe(their)
      compared++
    }
  }
  console.log(`kiteconnect: ${compared} fields equal`)
})

test('kite: kiteconnect is wrong from 2^31 on, and by how much', () => {
  const ticker = new KiteTicker({ api_key: 'x', access_token: 'x' }) as unknown as {
    parseBinary(buffer: ArrayBuffer): KiteTick[]
  }
  const packet = Buffer.alloc(44)
  packet.writeUInt32BE((1_594 << 8) | 1, 0)
  packet.writeUInt32BE(3_000_000_000, 16)
  const frame = Buffer.concat([Buffer.from([0, 1, 0, 44]), packet])
  const [theirs] = ticker.parseBinary(new Uint8Array(frame).buffer)
  const ours = JSON.parse(decodePackets('kite', frame).text)
  console.log(`kiteconnect reads a volume of 3,000,000,000 as ${theirs?.volume_traded}`)
  expect(ours.volume_traded).toBe(3_000_000_000)
  expect(theirs?.volume_traded).not.toBe(3_000_000_000)
})
