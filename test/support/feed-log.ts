/** A log directory with the topics of one exchange and a started batcher, for tests of feeds and replays. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BatcherOptions, createBatcher, type FeedDataType, type NativeBatcher } from '../../src/native/feed.js'
import { createInstruments, type NativeInstruments } from '../../src/native/instruments.js'
import { logStatus, type NativeLog, openNativeLog } from '../../src/native/log.js'

export const feedDataTypes: readonly FeedDataType[] = ['trades', 'quotes', 'tickers', 'depth', 'book', 'ohlcv', 'gaps', 'status']

export interface FeedLog {
  readonly directory: string
  readonly log: NativeLog
  readonly instruments: NativeInstruments
  readonly batcher: NativeBatcher
  /** Of the records' own streams. */
  readonly topics: readonly string[]
  /** A new batcher on the same log, started. */
  open(options?: Partial<BatcherOptions>): NativeBatcher
  close(): void
}

export function feedLog(exchange: number, options: Partial<BatcherOptions> = {}, partitions = 2): FeedLog {
  const directory = mkdtempSync(join(tmpdir(), 'tw-feed-'))
  const log = openNativeLog(directory, {})
  const instruments = createInstruments()
  const name = (type: FeedDataType): string => `market.test.${type}.x${exchange}`
  for (const type of feedDataTypes) {
    const status = logStatus(log.ensureTopic({ name: name(type), partitions, segmentBytes: 1 << 20 }))
    if (status !== 'ok') throw new Error(`topic ${name(type)}: ${status}`)
  }
  const batchers: NativeBatcher[] = []
  const open = (more: Partial<BatcherOptions> = {}): NativeBatcher => {
    const batcher = createBatcher({ log, instruments, ...options, ...more })
    for (const type of feedDataTypes) batcher.addRoute(exchange, type, name(type))
    batcher.start()
    batchers.push(batcher)
    return batcher
  }
  return {
    directory,
    log,
    instruments,
    batcher: open(),
    topics: feedDataTypes.filter((type) => type !== 'gaps' && type !== 'status').map(name),
    open,
    close: () => {
      for (const batcher of batchers) batcher.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
