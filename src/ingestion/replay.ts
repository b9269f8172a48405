/**
 * Replays a recording, one file or several, through the native feed into the log. Reads files, writes through the batcher it
 * is given; decodes on the calling thread, a slice at a time, so that timers and signals keep their turn. When the log is slow
 * it waits: a replay never drops. The epoch comes from the recording, never from the clock, so running it again resumes.
 */
import { type Clock, delay, systemClock } from '../core/clock.js'
import { SourceError, UsageError } from '../core/errors.js'
import {
  createFeed,
  type FeedDataType,
  type FeedStats,
  type NativeBatcher,
  type NativeFeed,
  type VenueOptions,
} from '../native/feed.js'
import { type Chunk, fileChunks } from './sources/file-chunks.js'
import { detectSource, type SourceFormat } from './sources/source-format.js'

/** An instrument as the recording names it. */
export interface ReplayInstrument {
  readonly id: number
  readonly venueSymbol: string
  readonly venueKey?: number | bigint
}

export interface ReplayOptions {
  /** Files of one recording. Captures are merged by receive time; files of records (DBN, CSV) are read one after another. */
  readonly files: readonly string[]
  /** None: told by the first bytes. */
  readonly format?: SourceFormat
  /** For `csv`: the compiled declaration of a file. */
  readonly program?: (file: string) => string
  /** Whose messages the frames are; none for files of records. */
  readonly venue?: string
  readonly venueOptions?: VenueOptions
  /** Started, with its routes. */
  readonly batcher: NativeBatcher
  readonly exchange: number
  readonly source: number
  readonly shard?: number
  readonly sampled?: boolean
  readonly instruments?: readonly ReplayInstrument[]
  /**
   * Registers what the recording names and `instruments` does not; costs a first pass over the files. `listings`: instruments
   * as the recorder of a live feed wrote them (listings.ts), in their order.
   */
  readonly list?: (venueSymbols: readonly string[], listings: readonly string[]) => Promise<readonly ReplayInstrument[]>
  /** Topics of the routes: what they hold of this source is passed over. None: nothing is looked for. */
  readonly topics?: readonly string[]
  readonly dataTypes?: readonly FeedDataType[]
  /** `max`, or how many times faster than it was recorded. */
  readonly speed?: 'max' | number
  readonly clock?: Clock
  readonly ringSlots?: number
  readonly onProgress?: (progress: ReplayProgress) => void
  readonly signal?: AbortSignal
}

export interface ReplayProgress {
  /** Of the files as they lie on disk. */
  readonly bytes: number
  readonly records: number
  readonly tsRecv: bigint
}

export interface ReplayResult {
  readonly stats: FeedStats
  readonly bytes: number
  readonly epoch: number
  /** Records that the log held before the replay began. */
  readonly held: number
}

const WAIT_PACED_MS = 1
const WAIT_REFUSED_MS = 20

export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  if (options.files.length === 0) throw new UsageError('a replay needs at least one file')
  const speed = options.speed ?? 'max'
  if (speed !== 'max' && !(speed > 0)) throw new UsageError(`speed must be max or a number above 0, not ${speed}`)
  const instruments = [...(options.instruments ?? [])]
  const formats = await Promise.all(options.files.map((file) => detectSource(file, options.format)))
  const ofRecords = formats.filter(({ format }) => format === 'dbn' || format === 'csv').length
  if (ofRecords !== 0 && ofRecords !== formats.length)
    throw new SourceError('captures and files of records are not one recording')
  const hasReceiveTimes = formats.every((format) => format.hasReceiveTimes)
  if (!hasReceiveTimes && formats.some((format) => format.hasReceiveTimes)) {
    throw new SourceError('files with and without receive times are not one recording')
  }
  const open = (scan: boolean): Playback =>
    new Playback(
      options,
      formats.map(({ format }) => format),
      hasReceiveTimes,
      instruments,
      scan,
    )
  if (options.list !== undefined) {
    const { names, listings } = await open(true).unknownNames()
    if (names.length > 0 || listings.length > 0) instruments.push(...(await options.list(names, listings)))
  }
  return await open(false).run(speed)
}

/** One pass over the files. */
class Playback {
  readonly #options: ReplayOptions
  readonly #formats: readonly SourceFormat[]
  readonly #feed: NativeFeed
  readonly #clock: Clock
  #bytesDone = 0
  #bytesOfFile: number[] = []
  #held = 0
  #speed: 'max' | number = 'max'
  /** Where the recording's time and the clock's met: set by the first frame. */
  #started: { readonly tsRecv: bigint; readonly atNs: bigint } | undefined

  constructor(
    options: ReplayOptions,
    formats: readonly SourceFormat[],
    hasReceiveTimes: boolean,
    instruments: readonly ReplayInstrument[],
    scan: boolean,
  ) {
    this.#options = options
    this.#formats = formats
    this.#clock = options.clock ?? systemClock
    this.#feed = createFeed({
      batcher: options.batcher,
      exchange: options.exchange,
      source: options.source,
      policy: 'block',
      hasReceiveTimes,
      scan,
      ...(options.venue === undefined ? {} : { venue: options.venue }),
      ...(options.venueOptions === undefined ? {} : { venueOptions: options.venueOptions }),
      ...(options.shard === undefined ? {} : { shard: options.shard }),
      ...(options.sampled === undefined ? {} : { sampled: options.sampled }),
      ...(options.dataTypes === undefined ? {} : { dataTypes: options.dataTypes }),
      ...(options.ringSlots === undefined ? {} : { ringSlots: options.ringSlots }),
    })
    for (const { id, venueSymbol, venueKey } of instruments) {
      if (!this.#feed.addInstrument(id, venueSymbol, venueKey ?? 0)) {
        this.#feed.stop()
        throw new SourceError(`instrument ${id} (${venueSymbol}) is not in the instrument table`)
      }
    }
  }

  /** A first pass: what the recording names that nobody listed. */
  async unknownNames(): Promise<{ names: readonly string[]; listings: readonly string[] }> {
    try {
      await this.#play()
      return { names: this.#feed.stats().unknown.toSorted(), listings: this.#feed.listings() }
    } finally {
      this.#feed.stop()
    }
  }

  async run(speed: 'max' | number): Promise<ReplayResult> {
    this.#speed = speed
    try {
      if (this.#options.topics !== undefined) this.#held = this.#feed.resume(this.#options.topics)
      await this.#play()
      while (!this.#feed.finish()) await this.#wait()
      while (!this.#feed.flushed) await this.#wait()
      return { stats: this.#feed.stats(), bytes: this.#bytesDone, epoch: this.#feed.epoch, held: this.#held }
    } catch (error) {
      if (error instanceof Error && error.message.includes('lies below')) {
        throw new SourceError(`this recording is older than what the log holds: ${error.message}`, {
          cause: error,
          fix: 'replay it under another source number, or into another data directory',
        })
      }
      throw error
    } finally {
      this.#feed.stop()
    }
  }

  async #play(): Promise<void> {
    const { files, program } = this.#options
    const first = this.#formats[0]
    if (first === 'dbn' || first === 'csv') {
      for (const [index, file] of files.entries()) {
        this.#feed.openSource(first, program?.(file))
        for await (const chunk of fileChunks(file)) await this.#feedChunk(0, index, chunk)
      }
      return
    }
    for (const format of this.#formats) this.#feed.addLane(format as Exclude<SourceFormat, 'dbn' | 'csv'>)
    const lanes = files.map((file) => fileChunks(file))
    try {
      if (lanes.length === 1 && lanes[0] !== undefined) {
        for await (const chunk of lanes[0]) await this.#feedChunk(0, 0, chunk)
        return
      }
      for (let lane = this.#feed.wants(); lane >= 0; lane = this.#feed.wants()) {
        const next = await lanes[lane]?.next()
        if (next !== undefined && next.done !== true) await this.#feedChunk(lane, lane, next.value)
        while (this.#feed.pump(this.#until())) await this.#wait()
      }
    } finally {
      for (const lane of lanes) await lane.return()
    }
  }

  async #feedChunk(lane: number, file: number, chunk: Chunk): Promise<void> {
    let rest = chunk.bytes
    for (;;) {
      this.#options.signal?.throwIfAborted()
      const used = this.#feed.chunk(lane, rest, chunk.last, this.#until())
      rest = rest.subarray(used)
      if (rest.length === 0) break
      await this.#wait()
    }
    this.#bytesOfFile[file] = chunk.fileBytes
    this.#bytesDone = this.#bytesOfFile.reduce((sum, bytes) => sum + bytes, 0)
    this.#options.onProgress?.({ bytes: this.#bytesDone, records: this.#feed.stats().records, tsRecv: this.#feed.tsRecv })
  }

  /** Up to which receive time frames are due now; undefined: all. */
  #until(): bigint | undefined {
    if (this.#speed === 'max') return undefined
    if (this.#started === undefined) {
      const tsRecv = this.#feed.tsRecv !== 0n ? this.#feed.tsRecv : this.#feed.nextTs
      if (tsRecv === 0n) return 0n
      this.#started = { tsRecv, atNs: this.#clock.monotonicNs() }
    }
    const elapsed = this.#clock.monotonicNs() - this.#started.atNs
    return this.#started.tsRecv + BigInt(Math.floor(Number(elapsed) * this.#speed))
  }

  /** Until there is room, or time has passed: a turn of the event loop at full speed, longer while the log refuses. */
  async #wait(): Promise<void> {
    const { signal, batcher } = this.#options
    signal?.throwIfAborted()
    if (batcher.stats().refusing !== 'no') await delay(this.#clock, WAIT_REFUSED_MS, signal)
    else if (this.#speed !== 'max') await delay(this.#clock, WAIT_PACED_MS, signal)
    else await new Promise((resolve) => setImmediate(resolve))
  }
}
