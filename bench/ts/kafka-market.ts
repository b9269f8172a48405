/**
 * Trades of a seeded market for the Kafka benches: 64 bytes each, prices and sizes that move, so that a compressor has work.
 * The sum of the prices proves that all records came through; it is exact in any order.
 */
import { murmur2 } from '../../src/native/model.js'
import { layout } from '../../src/wire/index.js'

const { size: RECORD, type, fields } = layout.records.trade
const EXCHANGE = 1 << 24
const SYMBOLS = 400
const PRICE_EXPONENT = -2
const SIZE_EXPONENT = -4
const START_NS = 1_723_161_255_000_000_000n

export const RECORD_BYTES = RECORD

interface Listed {
  readonly id: number
  readonly symbol: string
  price: number
  seq: number
}

export class Market {
  readonly #all: Listed[] = []
  readonly #byPartition: Listed[][]
  #random = 0x9e3779b9
  #ns = START_NS
  #trades = 0
  /** Of all records made so far. */
  priceSum = 0

  constructor(partitions: number) {
    this.#byPartition = Array.from({ length: partitions }, () => [])
    for (let i = 1; i <= SYMBOLS; i++) {
      const symbol = `COIN${i}USDT`
      const listed = { id: EXCHANGE | i, symbol, price: 10_000 + ((i * 7919) % 5_000_000), seq: 0 }
      this.#all.push(listed)
      this.#byPartition[(murmur2(symbol) & 0x7fffffff) % partitions]?.push(listed)
    }
    if (this.#byPartition.some((listed) => listed.length === 0)) throw new Error(`a partition of ${partitions} has no symbol`)
  }

  listed(): { id: number; symbol: string; priceExponent: number; sizeExponent: number }[] {
    return this.#all.map(({ id, symbol }) => ({ id, symbol, priceExponent: PRICE_EXPONENT, sizeExponent: SIZE_EXPONENT }))
  }

  /** Fills `bytes` with trades of one partition, or of the whole market; the symbols of the records, in order. */
  write(bytes: Uint8Array, partition?: number): string[] {
    const listed = partition === undefined ? this.#all : (this.#byPartition[partition] as Listed[])
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const symbols: string[] = []
    for (let at = 0; at < bytes.byteLength; at += RECORD) {
      const random = this.#next()
      const one = listed[random % listed.length] as Listed
      one.price = Math.max(1, one.price + ((random >>> 9) % 21) - 10)
      one.seq += 1
      this.#ns += BigInt(200 + (random >>> 20))
      view.setBigUint64(at + fields.ts_event.offset, this.#ns - 1_000_000n - BigInt(random >>> 14), true)
      view.setBigUint64(at + fields.ts_recv.offset, this.#ns, true)
      view.setUint32(at + fields.seq.offset, one.seq, true)
      view.setUint32(at + fields.epoch.offset, 1, true)
      view.setUint32(at + fields.instrument_id.offset, one.id, true)
      view.setUint8(at + fields.type.offset, type)
      view.setBigInt64(at + fields.price.offset, BigInt(one.price), true)
      view.setBigInt64(at + fields.size.offset, BigInt(1 + ((random >>> 4) % 50_000)), true)
      view.setBigUint64(at + fields.trade_id.offset, BigInt(++this.#trades), true)
      view.setUint8(at + fields.side.offset, 1 + (random & 1))
      this.priceSum += one.price
      symbols.push(one.symbol)
    }
    return symbols
  }

  #next(): number {
    this.#random ^= this.#random << 13
    this.#random ^= this.#random >>> 17
    this.#random ^= this.#random << 5
    return this.#random >>> 0
  }
}
