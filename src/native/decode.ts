/** A venue's bytes as NDJSON: one line per packet, the venue's own fields as raw integers. No registry, no records. */
import { addon } from './addon.js'
import type { NativeInstruments } from './instruments.js'

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

export interface DecodedRecords {
  /** One record per line as JSON (src/wire/decode.ts), empty with `text: false`. */
  text: Buffer
  counts: Record<string, number>
  /** How many records of each type, by the type's number: gaps and clocks are among them. */
  records: number[]
}

export interface DecodeRecordsOptions {
  /** Of a CSV source: what src/ingestion/csv-options.ts compiled. */
  program?: string
  depthLevels?: number
  bars?: boolean
  /** When the frame was received, ns; venues only. */
  tsRecv?: bigint
  text?: boolean
}

/** (instrument id, the venue's name for it, the venue's number for it) */
export type Listing = readonly [id: number, symbol: string, key: bigint]

interface RecordsAddon {
  decodeRecords(
    venue: string,
    bytes: Uint8Array,
    instruments: NativeInstruments,
    listings: readonly Listing[],
    options: DecodeRecordsOptions,
  ): DecodedRecords
}

/** One frame of a venue, or a whole `dbn` or `csv` file, as records: what a feed would make of it. Throws on a bad program. */
export const decodeRecords = (
  venue: string,
  bytes: Uint8Array,
  instruments: NativeInstruments,
  listings: readonly Listing[],
  options: DecodeRecordsOptions = {},
): DecodedRecords => (addon as unknown as RecordsAddon).decodeRecords(venue, bytes, instruments, listings, options)
