/**
 * The bars service: one native processor per exchange. Reads the trades, tickers or quotes topics, writes the ohlcv topic and its
 * state. Partitions are shared with other processes of the group `bars-{exchange}`. When the log refuses, reading waits.
 */
import type { Timer } from '../core/clock.js'
import { ServiceError } from '../core/errors.js'
import type { Logger } from '../core/logging.js'
import type { Metrics } from '../core/metrics.js'
import { deadLetterTopic, MessageBurier } from '../log/index.js'
import type { Exchange } from '../model/exchanges.js'
import { type BarProcessor, type BarProcessorStats, createBars } from '../processors/bars/index.js'
import { StreamServiceBuilder } from './builder.js'
import type { Component, ComponentContext, ComponentHealth } from './component.js'
import { topicOptions } from './registry-store.js'
import type { Runtime } from './runtime.js'
import type { StreamService } from './service.js'
import type { Settings } from './settings.js'

const WATCH_MS = 250

/** The processor's name, its group, and the end of its state topic's name. */
export const barsName = (exchange: string): string => `bars-${exchange.replaceAll('_', '-')}`

export class BarsComponent implements Component {
  readonly name: string
  readonly #runtime: Runtime
  readonly #exchange: Exchange
  #processor: BarProcessor | undefined
  #last: BarProcessorStats | undefined
  /** The burying that is under way. */
  #looking: Promise<void> | undefined
  #bury: ((stats: BarProcessorStats | undefined) => Promise<void>) | undefined
  #timer: Timer | undefined

  constructor(runtime: Runtime, exchange: Exchange) {
    this.name = barsName(exchange.name)
    this.#runtime = runtime
    this.#exchange = exchange
  }

  async start(context: ComponentContext): Promise<void> {
    const runtime = this.#runtime
    const exchange = this.#exchange
    const { inputs, intervals, bases, align } = runtime.settings.bars
    const topic = (dataType: string) => runtime.topics.getTopicConfig(exchange.assetClass, dataType, exchange.name)
    const output = topic('ohlcv')
    const configs = inputs.map(topic)
    await runtime.ensureTopics([...configs, output, runtime.topics.internalTopic('state', this.name)])
    this.#processor = createBars({
      log: runtime.log.native,
      name: this.name,
      group: this.name,
      inputs: configs.map((config) => config.name),
      output: output.name,
      intervals,
      basis: bases,
      latenessMs: exchange.latenessMs,
      sessions:
        align === 'clock'
          ? []
          : exchange.sessions.slice(0, 1).map((session) => ({
              exchange: exchange.number,
              timezone: exchange.timezone,
              open: timeOf(session.openS),
              close: timeOf(session.closeS),
            })),
    })
    this.#processor.start()
    const partitions = new Map(configs.map((config) => [config.name, config.partitions]))
    const letters = configs[0] === undefined ? undefined : runtime.topics.find(deadLetterTopic(configs[0].name))
    const keeping = letters === undefined ? undefined : topicOptions(letters)
    const burier = new MessageBurier(runtime.log, this.name, partitions, () => context.clock.wallNs(), keeping)
    this.#bury = (stats) => buryAll(stats, burier, context.logger)
    this.#watch(context)
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#processor?.stop()
    this.#last = this.#processor?.stats()
    await this.#looking
    // Its position is saved behind them: what is not buried now never is.
    await this.#bury?.(this.#last)
  }

  stats(): BarProcessorStats | undefined {
    return this.#processor?.stats() ?? this.#last
  }

  health(): ComponentHealth {
    const stats = this.stats()
    if (stats === undefined) return { status: 'degraded' }
    const lag = stats.lanes.reduce((sum, lane) => sum + Math.max(0, lane.end - lane.position), 0)
    const status = stats.state === 'failed' ? 'failed' : stats.blocked ? 'degraded' : 'ok'
    return {
      status,
      details: { state: stats.state, error: stats.error, blocked: stats.blocked, partitions: stats.lanes.length, lag },
    }
  }

  collect(metrics: Metrics): void {
    const stats = this.stats()
    if (stats === undefined) return
    const processor = this.name
    const total = (of: (lane: BarProcessorStats['lanes'][number]) => number) =>
      stats.lanes.reduce((sum, lane) => sum + of(lane), 0)
    metrics.total(
      'processor_messages_total',
      { processor },
      total((lane) => lane.records),
    )
    metrics.total(
      'tickwire_processor_outputs_total',
      { processor },
      total((lane) => lane.appended),
    )
    metrics.total(
      'tickwire_processor_gaps_total',
      { processor },
      total((lane) => lane.bars.gaps),
    )
    metrics.total(
      'tickwire_processor_too_late_total',
      { processor },
      total((lane) => lane.bars.tooLate),
    )
    metrics.total(
      'tickwire_processor_bad_batches_total',
      { processor },
      total((lane) => lane.badBatches),
    )
    metrics.total(
      'tickwire_processor_repeats_total',
      { processor },
      total((lane) => lane.bars.repeats),
    )
  }

  /** The processor's thread cannot call: whether it failed, and what it could not read, is asked. */
  #watch(context: ComponentContext): void {
    this.#timer = context.clock.setTimer(async () => {
      const stats = this.#processor?.stats()
      if (stats?.state === 'failed') {
        context.fail(new ServiceError(`${this.name}: ${stats.error}`))
        return
      }
      const timer = this.#timer
      this.#looking = this.#bury?.(stats)
      await this.#looking
      if (this.#timer === timer) this.#watch(context)
    }, WATCH_MS)
  }
}

/** What the log as a whole refuses ends it: the others would wait as long. A topic that fails is left. */
async function buryAll(stats: BarProcessorStats | undefined, burier: MessageBurier, logger: Logger): Promise<void> {
  for (const { topic, partition, badOffsets } of stats?.lanes ?? []) {
    for (const offset of badOffsets) {
      const place = { topic, partition, offset }
      try {
        const status = await burier.bury(topic, partition, offset)
        if (status === 'ok') continue
        logger.warn({ status, ...place }, 'a dead letter was refused')
        if (status === 'busy' || status === 'diskFull' || status === 'closed') return
      } catch (error) {
        logger.warn({ error, ...place }, 'a dead letter was refused')
        break
      }
    }
  }
}

const timeOf = (seconds: number): string => {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  return seconds === 86_400 ? '24:00' : `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`
}

/** Exchanges the bars are made for: those named, else those that are ingested here. */
export function barExchanges(runtime: Runtime): Exchange[] {
  const { bars, ingestion } = runtime.settings
  const names = bars.exchanges.length > 0 ? bars.exchanges : ingestion.feeds.map((feed) => feed.exchange)
  return [...new Set(names)].map((name) => runtime.exchanges.get(name))
}

export interface Bars {
  readonly service: StreamService<Settings['bars']>
  readonly processors: readonly BarsComponent[]
}

export function createBarsService(runtime: Runtime): Bars {
  const processors = barExchanges(runtime).map((exchange) => new BarsComponent(runtime, exchange))
  const builder = new StreamServiceBuilder('bars', runtime.settings.bars, runtime).withMetrics().withErrorHandling()
  for (const processor of processors) builder.addNative(processor)
  return { service: builder.build(), processors }
}
