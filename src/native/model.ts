/** Layout and hashing as the native side defines them. */
import { addon } from './addon.js'

interface ModelAddon {
  layoutJson(): string
  murmur2(key: string): number
}
const model = addon as unknown as ModelAddon

/** Sizes, offsets, kinds and enum values of every record, as JSON text (see native/wire/layout.cc). */
export const layoutJson = (): string => model.layoutJson()

/** Kafka's murmur2 of a key; partition = (murmur2(symbol) & 0x7fffffff) % partitions. */
export const murmur2 = (key: string): number => model.murmur2(key)
