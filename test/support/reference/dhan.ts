/** A slow, obvious Dhan decoder, with the names `tickwire decode dhan` prints. Shares nothing with the native one but those. */
import type { Decoded } from './kite.js'

const sizes: Record<number, number> = { 2: 16, 3: 112, 4: 50, 5: 12, 6: 16, 7: 8, 8: 162, 50: 10 }
const reasons: Record<number, string> = {
  805: 'too many connections',
  806: 'not subscribed to data',
  807: 'token expired',
  808: 'authentication failed',
  809: 'token invalid',
  810: 'client id invalid',
}

export function decodeDhanMessage(bytes: Uint8Array): Decoded {
  const decoded: Decoded = { lines: [], counts: {} }
  const count = (reason: string) => {
    decoded.counts[reason] = (decoded.counts[reason] ?? 0) + 1
  }
  let rest = bytes
  while (rest.length > 0) {
    const code = rest[0] ?? 0
    const said = rest.length < 3 ? 0 : (rest[1] ?? 0) + 256 * (rest[2] ?? 0)
    if (code === 0 && said === 0) {
      const next = rest.findIndex((byte) => byte !== 0)
      count('heartbeat')
      rest = next === -1 ? new Uint8Array() : rest.subarray(next)
      continue
    }
    if (rest.length < 8) {
      count('truncated')
      break
    }
    const length = said >= 8 && said <= rest.length ? said : (sizes[code] ?? 0)
    if (length === 0 || length > rest.length) {
      count('truncated')
      break
    }
    decoded.lines.push(decodePacket(rest.subarray(0, length), count))
    rest = rest.subarray(length)
  }
  return decoded
}

function decodePacket(packet: Uint8Array, count: (reason: string) => void): Record<string, unknown> {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength)
  const u16 = (at: number) => view.getUint16(at, true)
  const u32 = (at: number) => view.getUint32(at, true)
  const f32 = (at: number) => {
    const value = view.getFloat32(at, true)
    return Number.isFinite(value) ? value : null
  }
  const code = view.getUint8(0)
  const header = { response_code: code, message_length: u16(1), exchange_segment: view.getUint8(3), security_id: u32(4) }
  if (packet.length !== sizes[code]) {
    const refused = sizes[code] === undefined ? 'unknown_type' : 'bad_length'
    count(refused)
    return { ...header, refused }
  }
  const depth = (start: number) =>
    [0, 1, 2, 3, 4].map((k) => ({
      bid_quantity: u32(start + 20 * k),
      ask_quantity: u32(start + 20 * k + 4),
      bid_orders: u16(start + 20 * k + 8),
      ask_orders: u16(start + 20 * k + 10),
      bid_price_f32: f32(start + 20 * k + 12),
      ask_price_f32: f32(start + 20 * k + 16),
    }))
  const traded = () => ({
    ltp_f32: f32(8),
    ltq: u16(12),
    ltt: u32(14),
    atp_f32: f32(18),
    volume: u32(22),
    total_sell_quantity: u32(26),
    total_buy_quantity: u32(30),
  })
  const prices = (at: number) => ({ open_f32: f32(at), close_f32: f32(at + 4), high_f32: f32(at + 8), low_f32: f32(at + 12) })
  switch (code) {
    case 2:
      return { ...header, ltp_f32: f32(8), ltt: u32(12) }
    case 3:
      return { ...header, ltp_f32: f32(8), depth: depth(12) }
    case 4:
      return { ...header, ...traded(), ...prices(34) }
    case 5:
      return { ...header, oi: u32(8) }
    case 6:
      return { ...header, prev_close_f32: f32(8), prev_oi: u32(12) }
    case 8:
      return { ...header, ...traded(), oi: u32(34), oi_day_high: u32(38), oi_day_low: u32(42), ...prices(46), depth: depth(62) }
    case 50:
      return { ...header, reason: u16(8), reason_text: reasons[u16(8)] ?? 'unknown reason' }
    default:
      return header
  }
}
