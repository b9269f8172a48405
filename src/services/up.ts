/** The services of one process under a supervisor, with health, metrics and the control endpoint. */
import { ConfigError } from '../core/errors.js'
import { type Bars, barExchanges, createBarsService } from './bars.js'
import { type ControlServer, startControl } from './control.js'
import { type HttpServer, startHttp } from './http.js'
import { checkFeeds, createIngestion, type Ingestion } from './ingestion.js'
import type { Runtime } from './runtime.js'
import { createStream, type StreamParts } from './stream.js'
import { type ServiceFactory, Supervisor } from './supervisor.js'

export const serviceNames = ['ingestion', 'bars', 'stream'] as const
export type ServiceName = (typeof serviceNames)[number]

export interface Up {
  readonly supervisor: Supervisor
  readonly http: HttpServer
  /** The newest instance of each service; undefined when it is not run here, or not built yet. */
  readonly parts: { readonly ingestion?: Ingestion; readonly bars?: Bars; readonly stream?: StreamParts }
  /** Drains and stops everything but the runtime. */
  stop(): Promise<void>
}

/** Starts services in the order of flow; resolves when all were started once. */
export async function startUp(runtime: Runtime, names: readonly ServiceName[]): Promise<Up> {
  const unknown = names.find((name) => !serviceNames.includes(name))
  if (unknown !== undefined) {
    throw new ConfigError(`there is no service ${JSON.stringify(unknown)}; valid: ${serviceNames.join(', ')}`, {
      validValues: [...serviceNames],
    })
  }
  if (names.includes('ingestion')) checkFeeds(runtime.settings.ingestion.feeds)
  else if (barExchanges(runtime).length === 0) {
    throw new ConfigError(`no exchange is named, so ${names.join(' and ')} would have nothing to read`, {
      field: 'bars.exchanges',
      fix: 'give `--exchanges binance`, or the configuration file of the ingesting process',
    })
  }
  const parts: { ingestion?: Ingestion; bars?: Bars; stream?: StreamParts } = {}
  const create = {
    ingestion: () => {
      parts.ingestion = createIngestion(runtime)
      return parts.ingestion.service
    },
    bars: () => {
      parts.bars = createBarsService(runtime)
      return parts.bars.service
    },
    stream: () => {
      parts.stream = createStream(runtime)
      return parts.stream.service
    },
  }
  // Readers first: what is ingested is followed from its first record.
  const order = serviceNames.toReversed().filter((name) => names.includes(name))
  const factories: ServiceFactory[] = order.map((name) => ({ name, create: create[name] }))
  const supervisor = new Supervisor(runtime)
  const http = await startHttp({
    ...runtime.settings.http,
    metrics: runtime.metrics,
    health: () => supervisor.health(),
    about: { pid: process.pid, directory: runtime.directory, log: runtime.log.id },
  })
  let control: ControlServer | undefined
  const stop = async () => {
    await control?.close()
    await supervisor.stop()
    await http.close()
  }
  try {
    await supervisor.start(factories)
    if (names.includes('ingestion')) control = await startControl(runtime.directory, () => parts.ingestion?.feeds ?? [])
  } catch (error) {
    await stop()
    throw error
  }
  return { supervisor, http, parts, stop }
}
