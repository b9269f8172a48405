/**
 * Ingestion's way to Kafka: a native thread follows the local log and produces it to the cluster. Reads the topics of this instance's
 * feeds, their definitions and their sessions; writes the same topics on Kafka. Brokers away: the local log grows, the position
 * waits, and ingestion does not notice.
 */
import { unlessAborted } from '../core/abort.js'
import { delay } from '../core/clock.js'
import { KafkaError } from '../core/errors.js'
import type { Metrics } from '../core/metrics.js'
import { kafkaProperties } from '../log/index.js'
import type { TopicConfig } from '../model/topics.js'
import { makeReplicator, type NativePublisher, type PublisherStats } from '../native/publish.js'
import type { Component, ComponentContext, ComponentHealth } from './component.js'
import { collectPublisher, publisherHealth } from './publisher-metrics.js'
import { feedDataTypes } from './routes.js'
import type { Runtime } from './runtime.js'

const CONNECT_MS_MIN = 500
const CONNECT_MS_MAX = 5_000

/** Everything that ingestion writes: records, gaps, definitions, sessions. */
export function replicatedTopics({ topics, exchanges, settings }: Runtime): TopicConfig[] {
  const configs = settings.ingestion.feeds.flatMap((feed) => {
    const { assetClass, name } = exchanges.get(feed.exchange)
    const types = [...feedDataTypes(feed), 'gaps', 'reference_data']
    return types.map((type) => topics.getTopicConfig(assetClass, type, name))
  })
  return [...new Map([...configs, topics.internalTopic('status')].map((config) => [config.name, config])).values()]
}

export class ReplicatorComponent implements Component {
  readonly name = 'replicator'
  readonly #runtime: Runtime
  readonly #topics: () => readonly TopicConfig[]
  readonly #stop = new AbortController()
  #connecting: Promise<void> | undefined
  #native: NativePublisher | undefined
  #last: PublisherStats | undefined
  #waitsFor = 'the first connection'

  constructor(runtime: Runtime, topics: () => readonly TopicConfig[] = () => replicatedTopics(runtime)) {
    this.#runtime = runtime
    this.#topics = topics
  }

  /** Does not wait for a broker. */
  async start(context: ComponentContext): Promise<void> {
    this.#connecting = this.#connect(context).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) context.fail(error instanceof Error ? error : new KafkaError(String(error)))
    })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#connecting
    await this.#native?.stop()
    this.#last = this.stats()
    this.#native = undefined
  }

  stats(): PublisherStats | undefined {
    return this.#native?.stats() ?? this.#last
  }

  health(): ComponentHealth {
    const stats = this.stats()
    if (stats === undefined) return { status: 'degraded', details: { waits_for: this.#waitsFor } }
    return publisherHealth(stats)
  }

  collect(metrics: Metrics): void {
    const stats = this.stats()
    if (stats !== undefined) collectPublisher(metrics, this.name, stats)
  }

  async #connect(context: ComponentContext): Promise<void> {
    const { signal } = this.#stop
    const topics = this.#topics()
    for (let waitMs = CONNECT_MS_MIN; !signal.aborted; waitMs = Math.min(waitMs * 2, CONNECT_MS_MAX)) {
      try {
        await unlessAborted(this.#runtime.connect(), signal)
        if (signal.aborted) return
        await this.#runtime.ensureTopics(topics, this.#runtime.log)
        break
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        this.#waitsFor = error.message
        context.logger.warn({ error }, 'the cluster cannot be used yet: what is ingested stays in the local log')
        await delay(context.clock, waitMs, signal).catch(() => undefined)
      }
    }
    if (signal.aborted) return
    // A partition that nobody wrote to yet is followed from its beginning.
    await this.#runtime.ensureTopics(topics, this.#runtime.local)
    const { kafka } = this.#runtime.settings
    const native = makeReplicator(this.#runtime.local.native.engine(), {
      properties: kafkaProperties(kafka, this.#runtime.environment),
      topics: topics.map((topic) => topic.name),
      profile: kafka.profile,
      compression: kafka.compression,
      messagesPerSecondMax: kafka.messages_per_s_max,
    })
    await native.start()
    this.#native = native
  }
}
