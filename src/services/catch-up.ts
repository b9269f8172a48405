/** Bars of everything that a log holds, made once to its end: what `tickwire replay` does after the recording is in the log. */
import { type Clock, delay } from '../core/clock.js'
import { ServiceError } from '../core/errors.js'
import type { Exchange } from '../model/exchanges.js'
import type { IntervalName } from '../model/units.js'
import type { BarProcessorStats } from '../processors/bars/index.js'
import { BarsComponent } from './bars.js'
import type { Runtime } from './runtime.js'
import type { Settings } from './settings.js'

type BarInput = Settings['bars']['inputs'][number]
type BarBasis = Settings['bars']['bases'][number]

const POLL_MS = 5
const inputOfBasis: Readonly<Record<BarBasis, BarInput>> = {
  trade: 'trades',
  ticker: 'tickers',
  bid: 'quotes',
  ask: 'quotes',
  mid: 'quotes',
  bar: 'ohlcv',
}

export interface CatchUpOptions {
  readonly exchange: Exchange
  readonly intervals: readonly IntervalName[]
  /** None: trades when there are any, else tickers, else both sides of the quotes. */
  readonly bases?: readonly BarBasis[] | undefined
  readonly align?: Settings['bars']['align']
  readonly signal?: AbortSignal
}

async function recordsOf(runtime: Runtime, exchange: Exchange, input: BarInput): Promise<number> {
  const config = runtime.topics.getTopicConfig(exchange.assetClass, input, exchange.name)
  let records = 0
  for (let partition = 0; partition < config.partitions; partition++) {
    const info = await runtime.log.describe(config.name, partition)
    records += info === undefined ? 0 : info.endOffset - info.beginOffset
  }
  return records
}

/** Clocks stand in every topic of a feed: only a topic with data says which basis there is. */
async function hasData(runtime: Runtime, exchange: Exchange, input: BarInput, types: readonly string[]): Promise<boolean> {
  if ((await recordsOf(runtime, exchange, input)) === 0) return false
  const { name } = runtime.topics.getTopicConfig(exchange.assetClass, input, exchange.name)
  for await (const batch of runtime.log.read({ topics: [name] })) {
    if (types.includes(batch.view()?.name ?? '')) return true
  }
  return false
}

async function basesOf(runtime: Runtime, exchange: Exchange): Promise<readonly BarBasis[]> {
  if (await hasData(runtime, exchange, 'trades', ['trade'])) return ['trade']
  if (await hasData(runtime, exchange, 'tickers', ['ticker', 'index'])) return ['ticker']
  if (await hasData(runtime, exchange, 'quotes', ['quote'])) return ['bid', 'ask']
  return []
}

/** Undefined: there is nothing to make bars of. */
export async function catchUpBars(runtime: Runtime, options: CatchUpOptions): Promise<BarProcessorStats | undefined> {
  const { exchange } = options
  const bases = options.bases ?? (await basesOf(runtime, exchange))
  if (bases.length === 0) return undefined
  const inputs = [...new Set(bases.map((basis) => inputOfBasis[basis]))]
  const bars = {
    ...runtime.settings.bars,
    inputs,
    bases: [...bases],
    intervals: [...options.intervals],
    exchanges: [exchange.name],
  }
  const settings: Settings = { ...runtime.settings, bars: { ...bars, align: options.align ?? bars.align } }
  const component = new BarsComponent({ ...runtime, settings }, exchange)
  let failed: Error | undefined
  await component.start({
    service: 'replay',
    clock: runtime.clock,
    random: runtime.random,
    logger: runtime.logger,
    fail: (error) => {
      failed = error
    },
  })
  try {
    await readToEnd(runtime.clock, component, options.signal, () => failed)
  } finally {
    await component.stop()
  }
  return component.stats()
}

async function readToEnd(
  clock: Clock,
  component: BarsComponent,
  signal: AbortSignal | undefined,
  failed: () => Error | undefined,
): Promise<void> {
  // The end that was seen may be older than the appends: two looks in a row must find nothing new.
  for (let calm = 0, lastRead = -1; calm < 2; ) {
    signal?.throwIfAborted()
    const stats = component.stats()
    const error = failed()
    if (error !== undefined) throw error
    if (stats?.state === 'failed') throw new ServiceError(stats.error)
    const lanes = stats?.lanes ?? []
    const read = lanes.reduce((sum, lane) => sum + lane.position, 0)
    const isAtEnd = lanes.length > 0 && lanes.every((lane) => lane.end >= 0 && lane.position === lane.end)
    calm = isAtEnd && read === lastRead ? calm + 1 : 0
    lastRead = read
    await delay(clock, POLL_MS, signal)
  }
}
