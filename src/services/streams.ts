/** Producers and consumer handlers as components of a service: what the builder makes around the log. */

import type { RetryClass } from '../core/errors.js'
import { LogBusyError, LogError } from '../core/errors.js'
import type { Metrics } from '../core/metrics.js'
import { type AppendMessage, type AppendResult, type Consumer, deadLetterTopic, type Handler, type Log } from '../log/index.js'
import type { TopicConfig, TopicNameBuilder } from '../model/topics.js'
import { partitionOf } from '../native/model.js'
import type { ConsumerOptions, StreamFactory } from './builder.js'
import type { Component, ComponentContext, ComponentHealth } from './component.js'
import { LagMetrics } from './lag-metrics.js'
import { topicOptions } from './registry-store.js'

/** Makes topics by their declarations. */
export type EnsureTopics = (configs: readonly TopicConfig[]) => Promise<void>

export interface ProducerOptions {
  readonly topic: string
}

/** Appends to one topic; a message's partition follows from its key. */
export class ProducerComponent implements Component {
  readonly name: string
  readonly topic: string
  readonly #log: () => Log
  readonly #ensureTopics: EnsureTopics
  readonly #topics: TopicNameBuilder
  #config: TopicConfig | undefined

  constructor(log: () => Log, topics: TopicNameBuilder, ensureTopics: EnsureTopics, options: ProducerOptions) {
    this.name = `producer ${options.topic}`
    this.topic = options.topic
    this.#log = log
    this.#topics = topics
    this.#ensureTopics = ensureTopics
  }

  async start(): Promise<void> {
    const config = this.#topics.get(this.topic)
    await this.#ensureTopics([config])
    this.#config = config
  }

  async stop(): Promise<void> {
    this.#config = undefined
  }

  /** Refusals are values; before start and after stop the answer is `closed`. */
  async append(key: string, message: Omit<AppendMessage, 'key'>): Promise<AppendResult> {
    const config = this.#config
    if (config === undefined) return { status: 'closed', offset: 0 }
    const partition = partitionOf(key, config.partitions, config.dedicatedPartitions)
    return await this.#log().append(this.topic, partition, { ...message, key })
  }
}

const never = { retriesMax: 0, delayMsMin: 0, delayMsMax: 0 }
const noRetries: Record<RetryClass, typeof never> = {
  TRANSIENT: never,
  INFRASTRUCTURE: never,
  RATE_LIMIT: never,
  BUSINESS: never,
  AUTH: never,
  POISON: never,
}

class ConsumerComponent implements Component {
  readonly name: string
  readonly #log: () => Log
  readonly #ensureTopics: EnsureTopics
  readonly #topics: TopicNameBuilder
  readonly #options: ConsumerOptions<Handler>
  #consumer: Consumer | undefined
  #lag: LagMetrics | undefined

  constructor(log: () => Log, topics: TopicNameBuilder, ensureTopics: EnsureTopics, options: ConsumerOptions<Handler>) {
    this.name = `consumer ${options.groupId}`
    this.#log = log
    this.#topics = topics
    this.#ensureTopics = ensureTopics
    this.#options = options
  }

  async start(context: ComponentContext): Promise<void> {
    const { groupId, handler, hasErrorHandling, topics } = this.#options
    const configs = topics.flatMap((name) => this.#topics.resolve(name))
    await this.#ensureTopics(configs)
    const first = configs[0] === undefined ? undefined : this.#topics.find(deadLetterTopic(configs[0].name))
    const consumer = await this.#log().consumer({
      group: groupId,
      topics: configs.map((config) => config.name),
      handler: timed(handler, context, this.#options),
      durable: true,
      clock: context.clock,
      random: context.random,
      ...(first === undefined ? {} : { deadLetters: topicOptions(first) }),
      // Without error handling a failed record is a failure of the service.
      ...(hasErrorHandling ? {} : { retryPolicies: noRetries }),
      onError: (error, batch) => {
        context.logger.warn({ error, ...batch }, 'a handler failed')
        if (!hasErrorHandling) context.fail(error instanceof Error ? error : new LogError(String(error)))
      },
    })
    this.#consumer = consumer
    this.#lag = new LagMetrics(this.#log(), groupId, context.clock, (error) => context.logger.warn({ error }, 'lag is not known'))
    consumer.failed.catch((error: unknown) => context.fail(error instanceof Error ? error : new LogBusyError(String(error))))
  }

  async stop(): Promise<void> {
    await this.#consumer?.stop()
    this.#lag?.end()
  }

  health(): ComponentHealth {
    const consumer = this.#consumer
    if (consumer === undefined) return { status: 'degraded' }
    return { status: 'ok', details: { ...consumer.counters, partitions: consumer.assigned.length, lag: consumer.lag() } }
  }

  async collect(metrics: Metrics): Promise<void> {
    const consumer = this.#consumer
    if (consumer === undefined) return
    const group = this.#options.groupId
    metrics.total('tickwire_handler_records_total', { group }, consumer.counters.records)
    metrics.total('tickwire_handler_retries_total', { group }, consumer.counters.retried)
    metrics.total('tickwire_dead_letters_total', { group }, consumer.counters.deadLetters)
    metrics.total('tickwire_undecodable_batches_total', { group }, consumer.counters.undecodable)
    metrics.total('tickwire_redriven_total', { group }, consumer.counters.redriven)
    metrics.set('tickwire_consumer_lag_records', { group }, consumer.lag())
    for (const seconds of waiting.get(this.#options)?.splice(0) ?? []) {
      metrics.observe('processor_latency_seconds', { processor: this.#options.service }, seconds)
    }
    await this.#lag?.collect(metrics, consumer)
  }
}

/** Times of batches since the last scrape; bounded, the oldest go. */
const waiting = new WeakMap<object, number[]>()
const TIMES_MAX = 10_000

function timed(handler: Handler, context: ComponentContext, options: ConsumerOptions<Handler>): Handler {
  if (!options.hasMetrics) return handler
  const times: number[] = []
  waiting.set(options, times)
  return async (batch, about) => {
    const startedMs = context.clock.monotonicMs()
    try {
      return await handler(batch, about)
    } finally {
      if (times.length >= TIMES_MAX) times.splice(0, TIMES_MAX / 10)
      times.push((context.clock.monotonicMs() - startedMs) / 1_000)
    }
  }
}

/** `log` is asked when a component starts: it may not be connected before. */
export function createStreams(
  log: () => Log,
  topics: TopicNameBuilder,
  ensureTopics: EnsureTopics,
): StreamFactory<Handler, ProducerOptions> {
  return {
    createProducer: (options) => new ProducerComponent(log, topics, ensureTopics, options),
    createConsumer: (options) => new ConsumerComponent(log, topics, ensureTopics, options),
  }
}
