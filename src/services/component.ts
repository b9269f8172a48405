/** What a service is made of. A component starts, stops and says how it is; native processors, consumers and feeds all are one. */
import type { Clock } from '../core/clock.js'
import type { Logger } from '../core/logging.js'
import type { Metrics } from '../core/metrics.js'

export interface ComponentHealth {
  /** `degraded` still works, for example while a feed reconnects. */
  readonly status: 'ok' | 'degraded' | 'failed'
  readonly details?: Readonly<Record<string, unknown>>
}

export interface ComponentContext {
  readonly service: string
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  /** Tells that the component cannot go on; the service stops and its supervisor starts it anew. */
  readonly fail: (error: Error) => void
}

export interface Component {
  readonly name: string
  start(context: ComponentContext): Promise<void>
  /** Drains: what was taken is finished, nothing new is taken. Also called when start failed half-way. */
  stop(): Promise<void>
  health?(): ComponentHealth
  /** Brings native totals into the metrics; called before each scrape. */
  collect?(metrics: Metrics): void | Promise<void>
}
