/** The gateway's counters as metrics; the catalog in core declares them. */
import type { Metrics } from '../core/index.js'
import type { GatewayStats } from './types.js'

/** A component's `collect`, or the callback of `metrics.onCollect`. */
export function collectGateway(metrics: Metrics, now: GatewayStats): void {
  metrics.set('tickwire_stream_clients', {}, now.clients)
  metrics.total('tickwire_stream_offered_total', {}, now.offered)
  metrics.total('tickwire_stream_delivered_total', {}, now.delivered)
  metrics.total('tickwire_stream_conflated_total', {}, now.conflated)
  metrics.total('tickwire_stream_dropped_total', {}, now.dropped)
  metrics.total('tickwire_stream_frames_total', {}, now.framesSent)
  metrics.total('tickwire_stream_bytes_total', {}, now.bytesSent)
  metrics.total('tickwire_stream_disconnects_total', { reason: 'slow' }, now.slowDisconnects)
  metrics.total('tickwire_stream_disconnects_total', { reason: 'idle' }, now.idleDisconnects)
  metrics.total('tickwire_stream_disconnects_total', { reason: 'protocol' }, now.frameErrors)
}
