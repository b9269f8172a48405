/**
 * A slow, obvious Kite decoder: what wire-formats says, a field at a time, with the names `tickwire decode kite` prints. It
 * shares nothing with the native one but those names.
 */
type Line = Record<string, unknown>

export interface Decoded {
  lines: Line[]
  counts: Record<string, number>
}

const modes: Record<number, string> = { 8: 'ltp', 28: 'quote', 32: 'full', 44: 'quote', 164: 'full-legacy', 184: 'full' }

export function decodeKiteFrame(frame: Uint8Array): Decoded {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const decoded: Decoded = { lines: [], counts: {} }
  const count = (reason: string) => {
    decoded.counts[reason] = (decoded.counts[reason] ?? 0) + 1
  }
  if (frame.length < 2) {
    count('heartbeat')
    return decoded
  }
  const packetCount = view.getUint16(0)
  let at = 2
  for (let i = 0; i < packetCount; i++) {
    if (at + 2 > frame.length || at + 2 + view.getUint16(at) > frame.length) {
      count('truncated')
      return decoded
    }
    const length = view.getUint16(at)
    const line = decodeKitePacket(new DataView(frame.buffer, frame.byteOffset + at + 2, length), count)
    decoded.lines.push('refused' in line ? line : { ...line, packet_count: packetCount, frame_length: frame.length })
    at += 2 + length
  }
  if (at !== frame.length) count('trailing_bytes')
  return decoded
}

function decodeKitePacket(view: DataView, count: (reason: string) => void): Line {
  const length = view.byteLength
  const mode = modes[length]
  if (mode === undefined) {
    count('bad_length')
    return { packet_length: length, refused: 'bad_length' }
  }
  if (length === 164) count('legacy_packet')
  const token = view.getUint32(0)
  const segment = token & 0xff
  const line: Line = {
    packet_length: length,
    instrument_token: token,
    segment,
    exchange_token: Math.floor(token / 256),
    price_divisor: segment === 3 ? 10_000_000 : segment === 6 ? 10_000 : 100,
    mode,
    last_price_raw: view.getInt32(4),
  }
  if (length === 28 || length === 32) {
    line.high_raw = view.getInt32(8)
    line.low_raw = view.getInt32(12)
    line.open_raw = view.getInt32(16)
    line.close_raw = view.getInt32(20)
    line.change_raw = view.getInt32(24)
    if (length === 32) line.exchange_timestamp = view.getUint32(28)
  }
  if (length >= 44) {
    line.last_traded_quantity = view.getUint32(8)
    line.average_traded_price_raw = view.getInt32(12)
    line.volume_traded = view.getUint32(16)
    line.total_buy_quantity = view.getUint32(20)
    line.total_sell_quantity = view.getUint32(24)
    line.open_raw = view.getInt32(28)
    line.high_raw = view.getInt32(32)
    line.low_raw = view.getInt32(36)
    line.close_raw = view.getInt32(40)
  }
  if (length === 184) {
    line.last_trade_time = view.getUint32(44)
    line.oi = view.getUint32(48)
    line.oi_day_high = view.getUint32(52)
    line.oi_day_low = view.getUint32(56)
    line.exchange_timestamp = view.getUint32(60)
  }
  if (length >= 164) {
    const start = length === 184 ? 64 : 44
    const entry = (k: number) => ({
      quantity: view.getUint32(start + 12 * k),
      price_raw: view.getInt32(start + 12 * k + 4),
      orders: view.getUint16(start + 12 * k + 8),
      pad: view.getUint16(start + 12 * k + 10),
    })
    line.depth = { buy: [0, 1, 2, 3, 4].map(entry), sell: [5, 6, 7, 8, 9].map(entry) }
  }
  return line
}
