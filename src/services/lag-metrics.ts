/**
 * Lag of the partitions a consumer owns, as metrics: asked of the log at a scrape, which waits for at most a second, because it must
 * be answered while brokers are away. One question at a time: what comes later than its scrape stands in the gauges for the next.
 * Reads the log's lag, writes gauges; gauges of partitions that went elsewhere are removed.
 */
import { type Clock, delay } from '../core/clock.js'
import type { MetricName, Metrics } from '../core/metrics.js'
import { type Consumer, type Log, lagByExchange, type PartitionLag } from '../log/index.js'

const WAIT_MS = 1_000
type Labels = Readonly<Record<string, string>>

export class LagMetrics {
  readonly #log: Pick<Log, 'lag'>
  readonly #group: string
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  /** Shown now, by name and labels. */
  #shown = new Map<string, () => void>()
  /** The question under way. Never rejects; the log bounds how long it takes. */
  #asking: Promise<void> | undefined
  #isEnded = false

  constructor(log: Pick<Log, 'lag'>, group: string, clock: Clock, onError: (error: unknown) => void) {
    this.#log = log
    this.#group = group
    this.#clock = clock
    this.#onError = onError
  }

  async collect(metrics: Metrics, consumer: Pick<Consumer, 'assigned'>): Promise<void> {
    if (this.#isEnded) return
    this.#asking ??= this.#ask(metrics, consumer).finally(() => {
      this.#asking = undefined
    })
    const abort = new AbortController()
    const late = delay(this.#clock, WAIT_MS, abort.signal).catch(() => {})
    await Promise.race([this.#asking, late])
    abort.abort()
  }

  /** The member owns nothing any more. */
  end(): void {
    this.#isEnded = true
    for (const remove of this.#shown.values()) remove()
    this.#shown.clear()
  }

  /** Until it is answered, and when it is not, the gauges keep what they had. */
  async #ask(metrics: Metrics, consumer: Pick<Consumer, 'assigned'>): Promise<void> {
    try {
      const lags = await this.#log.lag(this.#group, consumer.assigned)
      if (!this.#isEnded) this.#show(metrics, consumer, lags)
    } catch (error) {
      // A log that closes ends the question.
      if (!this.#isEnded) this.#onError(error)
    }
  }

  #show(metrics: Metrics, consumer: Pick<Consumer, 'assigned'>, lags: readonly PartitionLag[]): void {
    // Some may have gone elsewhere meanwhile.
    const owned = new Set(consumer.assigned.map(({ topic, partition }) => `${topic}/${partition}`))
    const ours = lags.filter(({ topic, partition }) => owned.has(`${topic}/${partition}`))
    const before = this.#shown
    this.#shown = new Map()
    const set = (name: MetricName, labels: Labels, value: number): void => {
      const key = [name, ...Object.values(labels)].join('|')
      metrics.set(name, labels, value)
      this.#shown.set(key, () => metrics.remove(name, labels))
      before.delete(key)
    }
    for (const { group, topic, partition, lagMessages, lagMs } of ours) {
      const labels = { group, topic, partition: String(partition) }
      set('kafka_consumer_lag', labels, lagMessages)
      set('tickwire_consumer_lag_ms', labels, lagMs)
    }
    for (const { group, exchange, lagMessages, lagMs } of lagByExchange(ours)) {
      set('tickwire_exchange_lag_messages', { group, exchange }, lagMessages)
      set('tickwire_exchange_lag_ms', { group, exchange }, lagMs)
    }
    for (const remove of before.values()) remove()
  }
}
