/**
 * Bars: trades, tickers, quotes or smaller bars in, final bars and their corrections out.
 * Reads its input topics, writes the same partitions of the output topic and its state to `tickwire.state.{name}`. One
 * native thread per processor. When the log is busy or full it stops reading and tries again; nothing is dropped.
 */
import { type BarProcessorStats, createNativeBars } from '../../native/bars.js'
import type { NativeLog } from '../../native/log.js'
import { type BarOptions, nativeBarOptions } from './options.js'

export type { BarLaneStats, BarProcessorStats, BarStats } from '../../native/bars.js'
export { type BarFold, createBarFold } from './fold.js'
export {
  BAR_BYTES,
  type BarBasis,
  type BarInterval,
  type BarOptions,
  barBases,
  barIntervals,
  barOptionsSchema,
  barSessionSchema,
} from './options.js'

export interface BarProcessorOptions extends BarOptions {
  /** The log's native part (`openNativeLog`, or `native` of the embedded log). */
  log: NativeLog
  /** Names its state topic `tickwire.state.{name}`. */
  name?: string
  /** Topics, numbered by their order in the causes of bars: never reorder them, only add. */
  inputs: readonly string[]
  output: string
  /** Share the partitions with other processes of this consumer group; without it this one takes all, or `partitions`. */
  group?: string
  partitions?: readonly number[]
  /** Bars per appended batch, at most. */
  batchSize?: number
  /** Log time between two snapshots of the state. */
  snapshotMs?: number
  /** Process incarnation, written into batches. */
  origin?: number
}

export interface BarProcessor {
  /** Throws a RangeError that says why it cannot run. */
  start(): void
  stop(): void
  stats(): BarProcessorStats
}

export function createBars(options: BarProcessorOptions): BarProcessor {
  const { log, name = 'bars', inputs, output, group = '', partitions, batchSize, snapshotMs, origin, ...bars } = options
  const native = createNativeBars(log, {
    ...nativeBarOptions(bars),
    name,
    inputs,
    output,
    group,
    ...(partitions === undefined ? {} : { partitions }),
    ...(batchSize === undefined ? {} : { batchRecords: batchSize }),
    ...(snapshotMs === undefined ? {} : { snapshotNs: snapshotMs * 1e6 }),
    ...(origin === undefined ? {} : { origin }),
  })
  return {
    start: () => {
      const refused = native.start()
      if (refused !== '') throw new RangeError(`bars ${name}: ${refused}`)
    },
    stop: () => native.stop(),
    stats: () => native.stats(),
  }
}
