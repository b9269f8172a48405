/**
 * The stream service: the gateway and its page. Reads the tail of the log's topics on native threads, writes WebSocket frames. A
 * slow subscriber is bounded in bytes and conflated or cut off; the others do not notice.
 */
import { EnvironmentError } from '../core/errors.js'
import type { Metrics } from '../core/metrics.js'
import { collectGateway, createGateway, type Gateway, type GatewayStats } from '../stream/index.js'
import { barExchanges } from './bars.js'
import { StreamServiceBuilder } from './builder.js'
import type { Component, ComponentContext, ComponentHealth } from './component.js'
import type { Runtime } from './runtime.js'
import type { StreamService } from './service.js'
import type { Settings } from './settings.js'

const STREAMED = ['trades', 'quotes', 'tickers', 'depth', 'ohlcv'] as const

export class GatewayComponent implements Component {
  readonly name = 'gateway'
  readonly #runtime: Runtime
  #gateway: Gateway | undefined
  #port = 0

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** 0 until it listens. */
  get port(): number {
    return this.#port
  }

  async start(context: ComponentContext): Promise<void> {
    const runtime = this.#runtime
    const { host, port, client_bytes_max: clientBytes } = runtime.settings.stream
    await runtime.registry.refresh(barExchanges(runtime).map((exchange) => exchange.name))
    const gateway = createGateway(
      {
        logs: logsOf(runtime),
        instruments: runtime.instruments,
        loadInstruments: async (id) => {
          await runtime.registry.resolve(id)
        },
        onError: (error) => context.logger.warn({ error }, 'the registry could not be read'),
      },
      {
        host,
        // A restart keeps the port it was first given.
        port: port === 0 ? this.#port : port,
        topics: barExchanges(runtime).flatMap((exchange) =>
          STREAMED.map((type) => runtime.topics.buildTopicName(exchange.assetClass, type, exchange.name)),
        ),
        limits: { clientBytes },
      },
    )
    this.#gateway = gateway
    try {
      this.#port = (await gateway.start()).port
    } catch (error) {
      throw new EnvironmentError((error as Error).message, {
        field: 'stream.port',
        fix: 'choose a free port (stream.port, or --port), 0 for any',
        cause: error,
      })
    }
  }

  async stop(): Promise<void> {
    await this.#gateway?.stop()
  }

  stats(): GatewayStats | undefined {
    return this.#gateway?.stats()
  }

  health(): ComponentHealth {
    const stats = this.stats()
    if (stats === undefined) return { status: 'degraded' }
    const { clients, offered, delivered, conflated, dropped } = stats
    return { status: 'ok', details: { port: this.#port, clients, offered, delivered, conflated, dropped } }
  }

  collect(metrics: Metrics): void {
    const stats = this.stats()
    if (stats !== undefined) collectGateway(metrics, stats)
  }
}

/** With Kafka what is ingested here comes from the local log, microseconds old, and everything else from the cluster. */
function logsOf(runtime: Runtime): object[] {
  if (runtime.kafka === undefined) return [runtime.local.native]
  return [...(runtime.hasLocal ? [runtime.local.native] : []), runtime.kafka.native]
}

export interface StreamParts {
  readonly service: StreamService<Settings['stream']>
  readonly gateway: GatewayComponent
}

export function createStream(runtime: Runtime): StreamParts {
  const gateway = new GatewayComponent(runtime)
  const service = new StreamServiceBuilder('stream', runtime.settings.stream, runtime)
    .withMetrics()
    .withErrorHandling()
    .addNative(gateway)
    .build()
  return { service, gateway }
}
