/** A venue's bytes as NDJSON: one line per packet, the venue's own fields as raw integers. No registry, no records. */
import { addon } from './addon.js'

export interface DecodedPackets {
  /** One JSON object per line, each line ended. Integers above 2^53 are text. */
  text: string
  /** What was not decoded, or was counted beside it, by reason (native/model/reason.h). */
  counts: Record<string, number>
}

interface DecodeAddon {
  decodePackets(venue: string, bytes: Uint8Array, options: { packet: boolean }): { text: Buffer; counts: Record<string, number> }
}
const native = addon as unknown as DecodeAddon

/** The same as bytes, for files whose text is too long for one string. */
export const decodePacketsRaw = (venue: string, bytes: Uint8Array, options: { packet?: boolean } = {}) =>
  native.decodePackets(venue, bytes, { packet: options.packet ?? false })

/** `packet`: the bytes are one bare packet, without the venue's frame around it. Throws on a venue it does not know. */
export function decodePackets(venue: string, bytes: Uint8Array, options: { packet?: boolean } = {}): DecodedPackets {
  const { text, counts } = decodePacketsRaw(venue, bytes, options)
  return { text: text.toString('utf8'), counts }
}
