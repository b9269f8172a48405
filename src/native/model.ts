/** Layout and hashing as the native side defines them. */
import { addon } from './addon.js'
import type { NativeInstruments } from './instruments.js'

interface ModelAddon {
  layoutJson(): string
  murmur2(key: string): number
}
const model = addon as unknown as ModelAddon

/** Sizes, offsets, kinds and enum values of every record, as JSON text (see native/wire/layout.cc). */
export const layoutJson = (): string => model.layoutJson()

/** Kafka's murmur2 of a key; partition = (murmur2(symbol) & 0x7fffffff) % partitions. */
export const murmur2 = (key: string): number => model.murmur2(key)

/** Where records of a key stand: as the batcher places them (Placement of native/batch/route.h). */
export function partitionOf(key: string, partitions: number, dedicated: ReadonlyMap<string, number> = new Map()): number {
  const own = dedicated.get(key)
  if (own !== undefined) return own
  const hash = murmur2(key) & 0x7fffffff
  if (dedicated.size === 0) return hash % partitions
  const taken = new Set(dedicated.values())
  const shared = Array.from({ length: partitions }, (_, partition) => partition).filter((partition) => !taken.has(partition))
  return shared[hash % shared.length] ?? 0
}

interface WireAddon {
  batchToJson(batch: Uint8Array, instruments: NativeInstruments): string
  NativeRecordHash: new () => NativeRecordHash
}
const wire = addon as unknown as WireAddon

/** The records of a TWB1 batch as JSON objects, one a line (native/wire/json.h). Throws when the bytes are not a batch. */
export const batchToJson = (batch: Uint8Array, instruments: NativeInstruments): string => wire.batchToJson(batch, instruments)

/** The record hash (native/wire/record_hash.h): add batches in log order, then digest. */
export interface NativeRecordHash {
  add(batch: Uint8Array): void
  digest(): string
  readonly records: number
  readonly repeats: number
  readonly streams: number
}
export const createRecordHash = (): NativeRecordHash => new wire.NativeRecordHash()
