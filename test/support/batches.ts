/** Batches of trades for tests: every number follows from (instrument, epoch, seq). */
import { encodeBatch } from '../../src/native/log.js'
import { layout } from '../../src/wire/layout.js'

export interface TradeSpec {
  readonly instrument?: number
  readonly epoch?: number
  readonly seq: number
  readonly tsRecv?: bigint
  readonly price?: bigint
}

export function tradeRecords(trades: readonly TradeSpec[]): Uint8Array {
  const { size, fields, type } = layout.records.trade
  const bytes = new Uint8Array(size * trades.length)
  const data = new DataView(bytes.buffer)
  for (const [i, trade] of trades.entries()) {
    const at = i * size
    const tsRecv = trade.tsRecv ?? 1_700_000_000_000_000_000n + BigInt(trade.seq) * 1_000_000n
    data.setBigUint64(at + fields.ts_event.offset, tsRecv, true)
    data.setBigUint64(at + fields.ts_recv.offset, tsRecv, true)
    data.setUint32(at + fields.seq.offset, trade.seq, true)
    data.setUint32(at + fields.epoch.offset, trade.epoch ?? 1_700_000_000, true)
    data.setUint32(at + fields.instrument_id.offset, trade.instrument ?? 1, true)
    data.setUint8(at + fields.type.offset, type)
    data.setBigInt64(at + fields.price.offset, trade.price ?? BigInt(trade.seq) * 100n, true)
    data.setBigInt64(at + fields.size.offset, 1n, true)
  }
  return bytes
}

export const tradeBatch = (trades: readonly TradeSpec[]): Uint8Array =>
  encodeBatch(layout.records.trade.type, tradeRecords(trades), 1_700_000_000_000_000_000n)

/** `count` trades from seq `first` on. */
export const tradeRun = (first: number, count: number, spec: Omit<TradeSpec, 'seq'> = {}): Uint8Array =>
  tradeBatch(Array.from({ length: count }, (_, i) => ({ ...spec, seq: first + i })))
