/**
 * Bars of records that are at hand: batch recomputation of a log, verification, the forming bar. The same native code as
 * the processor, on the caller's thread; nothing is written anywhere.
 */
import { type BarStats, createNativeBarFold } from '../../native/bars.js'
import { type BarOptions, nativeBarOptions } from './options.js'

export interface BarFold {
  /**
   * Whole records one after the other (`BatchView.bytes`), the first at log offset `offset`. Returns the bars they made,
   * one after the other. Records of one partition, in its order.
   */
  push(records: Uint8Array, offset: number, input?: number): Uint8Array
  /** The whole state; `restore` of it in another fold with the same options goes on as if it were this one. */
  save(): Uint8Array
  restore(state: Uint8Array): void
  stats(): BarStats
}

export function createBarFold(options: BarOptions): BarFold {
  const native = createNativeBarFold(nativeBarOptions(options))
  return {
    push: (records, offset, input = 0) => native.push(own(records), offset, input),
    save: () => native.save(),
    restore: (state) => {
      const refused = native.restore(state)
      if (refused !== '') throw new RangeError(refused)
    },
    stats: () => native.stats(),
  }
}

/** Node-API takes no view over shared memory, which is where a log's batches stand: those are copied first. */
const own = (bytes: Uint8Array): Uint8Array => (bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes)
