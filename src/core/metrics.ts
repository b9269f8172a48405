/**
 * Every metric the engine shows, declared once; docs/reference/metrics.md lists the same and a test compares them. Names that the
 * owner's documents make public keep their spelling, all others begin with tickwire_.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { PlatformError } from './errors.js'

interface Declaration {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly buckets?: readonly number[]
}

const SECONDS = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const

const counter = (help: string, ...labels: string[]): Declaration => ({ kind: 'counter', help, labels })
const gauge = (help: string, ...labels: string[]): Declaration => ({ kind: 'gauge', help, labels })
const histogram = (help: string, ...labels: string[]): Declaration => ({ kind: 'histogram', help, labels, buckets: SECONDS })

export const metricCatalog = {
  ingestion_count_total: counter('Records taken from a feed into its ring.', 'source'),
  ingestion_errors_total: counter('Frames, packets or values refused by a decoder or feed.', 'source', 'reason'),
  tickwire_feed_frames_total: counter('Frames received from a venue.', 'source'),
  tickwire_feed_gaps_total: counter('Gap records a feed wrote.', 'source'),
  tickwire_feed_refused_total: counter('Records the ring refused because it was full; each stands in a gap record.', 'source'),
  tickwire_feed_connections_total: counter('Connections opened to a venue.', 'source'),
  tickwire_feed_disconnects_total: counter('Connections lost or closed by a venue.', 'source'),
  tickwire_feed_connected: gauge('1 while the feed is connected.', 'source'),
  tickwire_batcher_records_total: counter('Records appended to the log by a batcher.', 'source'),
  tickwire_batcher_batches_total: counter('Batches appended to the log by a batcher.', 'source'),
  tickwire_batcher_refused_total: counter('Appends the log refused, by status.', 'source', 'status'),
  processor_messages_total: counter('Input records a processor read.', 'processor'),
  tickwire_processor_outputs_total: counter('Records a processor appended.', 'processor'),
  tickwire_processor_gaps_total: counter('Gap records a processor read.', 'processor'),
  tickwire_processor_too_late_total: counter('Records left to reconciliation: behind the last 64 intervals.', 'processor'),
  tickwire_processor_bad_batches_total: counter(
    'Messages that are no readable batch; each becomes a dead letter (of a burst, the newest 64 of a partition in 250 ms).',
    'processor',
  ),
  tickwire_processor_repeats_total: counter('Records dropped as repeats by (epoch, seq).', 'processor'),
  processor_latency_seconds: histogram('One batch in a handler or processor.', 'processor'),
  tickwire_handler_records_total: counter('Records given to a consumer handler.', 'group'),
  tickwire_handler_retries_total: counter('Retries of records a handler failed on.', 'group'),
  tickwire_dead_letters_total: counter('Records written to the dead letters.', 'group'),
  tickwire_undecodable_batches_total: counter('Batches that no handler could read; each is a dead letter, too.', 'group'),
  tickwire_redriven_total: counter('Dead letters that stood when they came again.', 'group'),
  kafka_consumer_lag: gauge(
    'Messages between the committed position and the end, per partition this member owns (records on the embedded log).',
    'group',
    'topic',
    'partition',
  ),
  tickwire_consumer_lag_ms: gauge(
    'Newest receive time of the partition minus that of the first message that waits.',
    'group',
    'topic',
    'partition',
  ),
  tickwire_exchange_lag_messages: gauge(
    'Messages that wait, over the partitions of an exchange this member owns.',
    'group',
    'exchange',
  ),
  tickwire_exchange_lag_ms: gauge('The same in time: of the partition that is furthest behind.', 'group', 'exchange'),
  tickwire_consumer_lag_records: gauge('Log end minus committed position, summed over the partitions this member owns.', 'group'),
  tickwire_stream_clients: gauge('Connected subscribers.'),
  tickwire_stream_offered_total: counter('Records offered to subscribers: delivered + conflated + dropped + still queued.'),
  tickwire_stream_delivered_total: counter('Records handed to subscribers’ sockets.'),
  tickwire_stream_conflated_total: counter('Records replaced by a newer value of the same stream for a slow subscriber.'),
  tickwire_stream_dropped_total: counter('Records dropped for a slow subscriber; it got a gap notice.'),
  tickwire_stream_frames_total: counter('WebSocket frames sent.'),
  tickwire_stream_bytes_total: counter('Bytes sent to subscribers.'),
  tickwire_stream_disconnects_total: counter('Subscribers disconnected, by reason.', 'reason'),
  tickwire_schema_ids_cached_total: counter('Schema ids taken from the data directory because the registry was away.', 'subject'),
  errors_total: counter('Operating errors, by code (docs/reference/errors.md).', 'service', 'code'),
  tickwire_publisher_records_total: counter('Records produced to Kafka, by the replicator or the open views.', 'publisher'),
  tickwire_publisher_messages_total: counter('Messages they were produced in.', 'publisher'),
  tickwire_publisher_bytes_total: counter('Keys and values of these messages.', 'publisher'),
  tickwire_publisher_failed_total: counter('Messages told to be undeliverable; they were sent again.', 'publisher'),
  tickwire_publisher_repeats_total: counter('Records left out because they stood on Kafka already.', 'publisher'),
  tickwire_publisher_bad_total: counter('Messages or records that could not be read or encoded.', 'publisher'),
  tickwire_publisher_unknown_instruments_total: counter(
    'Records left out because their instrument was never listed.',
    'publisher',
  ),
  tickwire_publisher_lost_offsets_total: counter('Offsets damaged or deleted before they were produced.', 'publisher'),
  tickwire_publisher_lag_offsets: gauge('Offsets of the followed log that no broker has acknowledged.', 'publisher', 'topic'),
  tickwire_publisher_blocked: gauge('1 while brokers are away or refuse.', 'publisher'),
  tickwire_publisher_ack_seconds: gauge('From sending to acknowledgement, by quantile.', 'publisher', 'quantile'),
  kafka_producer_batch_size: gauge('Mean bytes of librdkafka’s batches.', 'publisher'),
  tickwire_service_state: gauge('0 stopped, 1 starting, 2 running, 3 stopping, 4 failed, 5 waiting to restart.', 'service'),
  tickwire_service_restarts_total: counter('Restarts by the supervisor.', 'service'),
} as const satisfies Readonly<Record<string, Declaration>>

export type MetricName = keyof typeof metricCatalog
type Labels = Readonly<Record<string, string>>

/** One per process. Counters kept by native code are given as totals; the difference since the last total is added. */
export class Metrics {
  readonly registry = new Registry()
  readonly #metrics = new Map<string, Counter | Gauge | Histogram>()
  readonly #totals = new Map<string, number>()
  readonly #collectors = new Set<() => void | Promise<void>>()

  constructor(options: { readonly processDefaults?: boolean } = {}) {
    if (options.processDefaults === true) collectDefaultMetrics({ register: this.registry })
  }

  add(name: MetricName, labels: Labels = {}, by = 1): void {
    const metric = this.#metric(name)
    if (metric instanceof Counter) metric.inc(labels, by)
  }

  set(name: MetricName, labels: Labels, value: number): void {
    const metric = this.#metric(name)
    if (metric instanceof Gauge) metric.set(labels, value)
  }

  /** What is gone must not stand there with its last value. */
  remove(name: MetricName, labels: Labels): void {
    this.#metric(name).remove(labels)
  }

  observe(name: MetricName, labels: Labels, seconds: number): void {
    const metric = this.#metric(name)
    if (metric instanceof Histogram) metric.observe(labels, seconds)
  }

  /** `total` since the component began; a smaller one than before means that it began anew. */
  total(name: MetricName, labels: Labels, total: number): void {
    const key = `${name}|${Object.entries(labels).flat().join('|')}`
    const last = this.#totals.get(key) ?? 0
    this.#totals.set(key, total)
    const by = total >= last ? total - last : total
    this.add(name, labels, by)
  }

  /** Called before each scrape; returns what removes it. */
  onCollect(collect: () => void | Promise<void>): () => void {
    this.#collectors.add(collect)
    return () => this.#collectors.delete(collect)
  }

  async text(): Promise<string> {
    await Promise.all([...this.#collectors].map((collect) => this.#collect(collect)))
    return this.registry.metrics()
  }

  /** One that fails is counted; the scrape shows what the others have. */
  async #collect(collect: () => void | Promise<void>): Promise<void> {
    try {
      await collect()
    } catch (error) {
      this.add('errors_total', { service: 'metrics', code: error instanceof PlatformError ? error.code : PlatformError.code })
    }
  }

  get contentType(): string {
    return this.registry.contentType
  }

  #metric(name: MetricName): Counter | Gauge | Histogram {
    const existing = this.#metrics.get(name)
    if (existing !== undefined) return existing
    const declared: Declaration = metricCatalog[name]
    const base = { name, help: declared.help, labelNames: [...declared.labels], registers: [this.registry] }
    const metric =
      declared.kind === 'counter'
        ? new Counter(base)
        : declared.kind === 'gauge'
          ? new Gauge(base)
          : new Histogram({ ...base, buckets: [...(declared.buckets ?? SECONDS)] })
    this.#metrics.set(name, metric)
    return metric
  }
}
