/** decode.kite-full: a frame of full packets to numbers, against kiteconnect's own parseBinary. */
import { KiteTicker } from 'kiteconnect'
import { compare, emit, scale } from './compare.js'
import { mix, peer } from './peer.js'

const PACKETS = 100
const PACKET = 184

function makeFrame(): Uint8Array {
  const bytes = Buffer.alloc(2 + PACKETS * (2 + PACKET))
  bytes.writeUInt16BE(PACKETS, 0)
  for (let i = 0; i < PACKETS; i++) {
    const at = 2 + i * (2 + PACKET)
    bytes.writeUInt16BE(PACKET, at)
    // Every field within 31 bits: kiteconnect reads them signed.
    const word = (offset: number, value: number) => bytes.writeUInt32BE(value >>> 0, at + 2 + offset)
    word(0, ((1000 + i) << 8) | 1)
    for (let offset = 4; offset < 64; offset += 4) word(offset, 100_000 + i * 37 + offset * 1001)
    word(44, 1_612_777_255)
    word(60, 1_612_777_256)
    for (let k = 0; k < 10; k++) {
      word(64 + k * 12, 10 + k + i)
      word(68 + k * 12, 129_900 + k * 5)
      bytes.writeUInt16BE(1 + k, at + 2 + 72 + k * 12)
    }
  }
  return bytes
}

interface KiteTick {
  instrument_token: number
  last_price: number
  last_traded_quantity: number
  average_traded_price: number
  volume_traded: number
  total_buy_quantity: number
  total_sell_quantity: number
  ohlc: { open: number; high: number; low: number; close: number }
  last_trade_time: Date
  exchange_timestamp: Date
  oi: number
  depth: {
    buy: { quantity: number; price: number; orders: number }[]
    sell: { quantity: number; price: number; orders: number }[]
  }
}

const frame = makeFrame()
const arrayBuffer = frame.buffer.slice(frame.byteOffset, frame.byteOffset + frame.byteLength)
const ticker = new KiteTicker({ api_key: 'bench', access_token: 'bench' }) as unknown as {
  parseBinary(data: ArrayBufferLike): KiteTick[]
}
const paise = (price: number) => Math.round(price * 100)

function theirs(frames: number) {
  let hash = 0
  for (let round = 0; round < frames; round++) {
    hash = 0
    for (const t of ticker.parseBinary(arrayBuffer)) {
      const seconds = (date: Date) => date.getTime() / 1000
      const values = [
        t.instrument_token,
        paise(t.last_price),
        t.last_traded_quantity,
        paise(t.average_traded_price),
        t.volume_traded,
        t.total_buy_quantity,
        t.total_sell_quantity,
        paise(t.ohlc.open),
        paise(t.ohlc.high),
        paise(t.ohlc.low),
        paise(t.ohlc.close),
        seconds(t.last_trade_time),
        t.oi,
        seconds(t.exchange_timestamp),
      ]
      let sum = values.reduce((total, value) => total + value, 0)
      for (const level of [...t.depth.buy, ...t.depth.sell]) sum += level.quantity + paise(level.price) + level.orders
      hash = mix(hash, sum % 4294967296)
    }
  }
  return { operations: frames * PACKETS, hash: hash.toString(16) }
}

function ours(frames: number) {
  let hash = 0
  for (let round = 0; round < frames; round++) hash = peer.kiteFrame(frame)
  return { operations: frames * PACKETS, hash: hash.toString(16) }
}

const frames = Math.ceil(10_000 * scale())
emit(
  await compare({
    id: 'decode.kite-full',
    peer: 'kiteconnect parseBinary',
    unit: 'ns',
    ours: () => ours(frames),
    theirs: () => theirs(Math.max(1, Math.ceil(frames / 100))),
  }),
)
