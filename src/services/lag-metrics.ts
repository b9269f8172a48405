/**
 * Lag of the partitions a consumer owns, as metrics: asked of the log at each scrape, for at most a second, because a scrape must
 * be answered while brokers are away. Reads the log's lag, writes gauges; gauges of partitions that went elsewhere are removed.
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
  #isEnded = false

  constructor(log: Pick<Log, 'lag'>, group: string, clock: Clock, onError: (error: unknown) => void) {
    this.#log = log
    this.#group = group
    this.#clock = clock
    this.#onError = onError
  }

  async collect(metrics: Metrics, consumer: Pick<Consumer, 'assigned'>): Promise<void> {
    const lags = await this.#ask()
    if (lags === undefined || this.#isEnded) return
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

  /** The member owns nothing any more. */
  end(): void {
    this.#isEnded = true
    for (const remove of this.#shown.values()) remove()
    this.#shown.clear()
  }

  /** Undefined: not known in time; the gauges keep what they had. */
  async #ask(): Promise<readonly PartitionLag[] | undefined> {
    const abort = new AbortController()
    const asked = this.#log.lag(this.#group).catch((error: unknown) => {
      this.#onError(error)
      return undefined
    })
    const late = delay(this.#clock, WAIT_MS, abort.signal).then(
      () => undefined,
      () => undefined,
    )
    try {
      return await Promise.race([asked, late])
    } finally {
      abort.abort()
    }
  }
}
