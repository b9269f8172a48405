/**
 * A recording replayed the way a user's machine does it: a fresh data directory, the configured topics, the registry, the
 * batcher, the bars processor's own thread. Nothing here knows a venue's bytes or computes a bar.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DataType } from '../../src/model/names.js'
import { type VerifyReport, verifyLog } from '../../src/native/journal-admin.js'
import { type BarBasis, type BarInterval, type BarProcessorStats, createBars } from '../../src/processors/bars/index.js'
import { type ReplayIntoOptions, type ReplayIntoResult, replayInto } from '../../src/services/replaying.js'
import { openRuntime, type Runtime } from '../../src/services/runtime.js'
import { loadSettings } from '../../src/services/settings.js'
import { barsOfRecords, type OracleBar } from './bar-oracle.js'
import { until } from './until.js'

export type SessionDataType = 'trades' | 'quotes' | 'tickers' | 'depth' | 'book' | 'ohlcv'

export interface SessionBars {
  readonly input: SessionDataType
  readonly intervals: readonly BarInterval[]
  readonly basis: BarBasis | readonly BarBasis[]
}

const silent = { logging: { level: 'silent' } }

/** A data directory of its own, removed by close(). */
export class ReplaySession {
  readonly directory: string
  readonly runtime: Runtime
  readonly #isOurs: boolean

  private constructor(directory: string, runtime: Runtime, isOurs: boolean) {
    this.directory = directory
    this.runtime = runtime
    this.#isOurs = isOurs
  }

  static async open(at?: string): Promise<ReplaySession> {
    const directory = at ?? mkdtempSync(join(tmpdir(), 'tickwire-replay-'))
    const settings = loadSettings({ given: { ...silent, data_dir: directory }, environment: {} })
    return new ReplaySession(directory, await openRuntime({ settings, service: 'replay' }), at === undefined)
  }

  topic(exchange: string, dataType: DataType): string {
    return this.runtime.topics.getTopicConfig(this.runtime.exchanges.get(exchange).assetClass, dataType, exchange).name
  }

  /** Topics of an exchange, made in the log. */
  async topics(exchange: string, dataTypes: readonly DataType[]): Promise<string[]> {
    const names = dataTypes.map((type) => this.topic(exchange, type))
    await this.runtime.ensureTopics(names.map((name) => this.runtime.topics.get(name)))
    return names
  }

  async replay(recording: ReplayIntoOptions): Promise<ReplayIntoResult> {
    return await replayInto(this.runtime, recording)
  }

  /** Runs the processor until it has read everything (that there is when `ended` settles), and takes its bars from the log. */
  async bars(
    exchange: string,
    options: SessionBars,
    ended: Promise<void> = Promise.resolve(),
  ): Promise<{ bars: OracleBar[]; stats: BarProcessorStats }> {
    const { log } = this.runtime
    if (log.native === undefined) throw new Error('the embedded log is asked for')
    const [input = '', output = ''] = await this.topics(exchange, [options.input, 'ohlcv'])
    const processor = createBars({
      log: log.native,
      inputs: [input],
      output,
      intervals: [...options.intervals],
      basis: typeof options.basis === 'string' ? options.basis : [...options.basis],
    })
    processor.start()
    try {
      await ended
      await until(
        'the processor has read its input',
        () => {
          const { state, error, lanes } = processor.stats()
          if (state === 'failed') throw new Error(error)
          return (
            lanes.length > 0 && lanes.every(({ position, end }) => end >= 0 && position === end) && this.#isRead(input, lanes)
          )
        },
        60_000,
      )
    } finally {
      processor.stop()
    }
    return { bars: await this.barsInLog(exchange), stats: processor.stats() }
  }

  #isRead(input: string, lanes: BarProcessorStats['lanes']): boolean {
    const native = this.runtime.log.native
    return lanes.every(({ partition, position }) => position === native?.describe(input, partition)?.endOffset)
  }

  /** Follows topics; when `ended` has settled, up to their ends. Answers how many records that were. */
  async follow(topics: readonly string[], ended: Promise<void>): Promise<number> {
    const { log } = this.runtime
    const stop = new AbortController()
    let records = 0
    const reading = (async () => {
      for await (const batch of log.read({ topics, follow: true, signal: stop.signal })) records += batch.count
    })()
    await ended
    let expected = 0
    for (const topic of await log.topics()) {
      for (let partition = 0; topics.includes(topic.name) && partition < topic.partitions; partition++) {
        expected += (await log.describe(topic.name, partition))?.endOffset ?? 0
      }
    }
    await until('the reader is at the end', () => records === expected)
    stop.abort()
    await reading.catch(() => undefined)
    return records
  }

  /** Symbols are the venue's own spelling, as in the oracle. */
  async barsInLog(exchange: string): Promise<OracleBar[]> {
    const { log, registry } = this.runtime
    const bars: OracleBar[] = []
    await registry.refresh([exchange])
    for await (const batch of log.read({ topics: [this.topic(exchange, 'ohlcv')] })) {
      const view = batch.view()
      if (view?.name !== 'bar') continue
      const records = view.bytes.slice()
      bars.push(
        ...barsOfRecords(records, (id) => {
          const definition = registry.get(id)
          if (definition === undefined) throw new Error(`a bar of instrument ${id}, which the registry does not have`)
          const { price_exponent: priceExponent, size_exponent: sizeExponent } = definition
          return { symbol: definition.sources[0]?.venue_symbol ?? definition.symbol, priceExponent, sizeExponent }
        }),
      )
    }
    return bars
  }

  /** CRC, order and record hash of the directory. */
  async verify(topics?: readonly string[]): Promise<VerifyReport> {
    return await verifyLog(this.directory, { hash: true, ...(topics === undefined ? {} : { topics: [...topics] }) })
  }

  async close(): Promise<void> {
    await this.runtime.close()
    if (this.#isOurs) rmSync(this.directory, { recursive: true, force: true })
  }
}
