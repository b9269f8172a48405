/** What a publisher (the replicator, the open views) tells health checks and scrapes. */
import type { Metrics } from '../core/metrics.js'
import type { PublisherStats } from '../native/publish.js'
import type { ComponentHealth } from './component.js'

export function publisherHealth(stats: PublisherStats): ComponentHealth {
  const { state, error, messages, acknowledged, inFlight, failed, records, repeats } = stats
  const lag = stats.topics.reduce((sum, topic) => sum + topic.lag, 0)
  return {
    status: state === 'blocked' ? 'degraded' : 'ok',
    details: {
      state,
      ...(error === '' ? {} : { error }),
      lag,
      records,
      messages,
      acknowledged,
      in_flight: inFlight,
      failed,
      repeats,
    },
  }
}

export function collectPublisher(metrics: Metrics, publisher: string, stats: PublisherStats): void {
  const labels = { publisher }
  metrics.total('tickwire_publisher_records_total', labels, stats.records)
  metrics.total('tickwire_publisher_messages_total', labels, stats.messages)
  metrics.total('tickwire_publisher_bytes_total', labels, stats.bytes)
  metrics.total('tickwire_publisher_failed_total', labels, stats.failed)
  metrics.total('tickwire_publisher_repeats_total', labels, stats.repeats)
  metrics.total('tickwire_publisher_bad_total', labels, stats.bad)
  metrics.total('tickwire_publisher_lost_offsets_total', labels, stats.lostOffsets)
  metrics.total('tickwire_publisher_unknown_instruments_total', labels, stats.unknownInstrument)
  metrics.set('kafka_producer_batch_size', labels, stats.batchBytes)
  metrics.set('tickwire_publisher_blocked', labels, stats.state === 'blocked' ? 1 : 0)
  metrics.set('tickwire_publisher_ack_seconds', { ...labels, quantile: '0.5' }, stats.ackNsP50 / 1e9)
  metrics.set('tickwire_publisher_ack_seconds', { ...labels, quantile: '0.99' }, stats.ackNsP99 / 1e9)
  for (const { topic, lag } of stats.topics) metrics.set('tickwire_publisher_lag_offsets', { ...labels, topic }, lag)
}
