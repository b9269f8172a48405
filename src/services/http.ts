/** /health and /metrics of one process, on the loopback unless told otherwise. */
import Fastify, { type FastifyInstance } from 'fastify'
import { withCorrelation } from '../core/correlation.js'
import { EnvironmentError } from '../core/errors.js'
import type { Metrics } from '../core/metrics.js'
import type { ProcessHealth } from './supervisor.js'

export interface HttpOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly metrics: Metrics
  readonly health: () => ProcessHealth
  /** Further facts under /health: version, data directory, pid. */
  readonly about?: Readonly<Record<string, unknown>>
}

export interface HttpServer {
  readonly url: string
  close(): Promise<void>
}

export function createHttpApp(options: HttpOptions): FastifyInstance {
  const app = Fastify({ logger: false, bodyLimit: 64 * 1024, forceCloseConnections: true })
  app.addHook('onRequest', (request, reply, done) => {
    const given = request.headers['x-correlation-id']
    withCorrelation(typeof given === 'string' ? given : undefined, () => {
      reply.header('cache-control', 'no-store')
      done()
    })
  })
  app.get('/health', async (_request, reply) => {
    const health = options.health()
    // Degraded still serves: only a failed process is taken out of service.
    reply.code(health.status === 'failed' ? 503 : 200)
    return { ...health, ...options.about }
  })
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', options.metrics.contentType)
    return options.metrics.text()
  })
  return app
}

export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const app = createHttpApp(options)
  try {
    const url = await app.listen({ host: options.host, port: options.port })
    return { url, close: () => app.close() }
  } catch (error) {
    throw new EnvironmentError(`cannot listen on ${options.host}:${options.port}: ${(error as Error).message}`, {
      field: 'http.port',
      fix: 'choose a free port (http.port, or --http-port), 0 for any',
      cause: error,
    })
  }
}
