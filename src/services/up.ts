/** The services of one process under a supervisor, with health, metrics and the control endpoint. */
import { unlessAborted } from '../core/abort.js'
import { delay } from '../core/clock.js'
import { ConfigError, KafkaAuthError, KafkaError } from '../core/errors.js'
import { type Bars, barExchanges, createBarsService } from './bars.js'
import { type ControlServer, startControl } from './control.js'
import { type HttpServer, startHttp } from './http.js'
import { checkFeeds, createIngestion, type Ingestion } from './ingestion.js'
import type { Runtime } from './runtime.js'
import type { Settings } from './settings.js'
import { createStream, type StreamParts } from './stream.js'
import { type ServiceFactory, Supervisor } from './supervisor.js'
import { checkViews, createViews, type Views } from './views.js'

export const serviceNames = ['ingestion', 'bars', 'views', 'stream'] as const
export type ServiceName = (typeof serviceNames)[number]

/** All that the settings have work for: views stand on a Kafka cluster only. */
export const servicesOf = ({ kafka }: Settings): ServiceName[] =>
  serviceNames.filter((name) => name !== 'views' || (kafka.brokers !== undefined && kafka.views))

export interface UpParts {
  readonly ingestion?: Ingestion
  readonly bars?: Bars
  readonly views?: Views
  readonly stream?: StreamParts
}

export interface Up {
  readonly supervisor: Supervisor
  readonly http: HttpServer
  /** The newest instance of each service; undefined when it is not run here, or not built yet. */
  readonly parts: UpParts
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
  const usesKafka = runtime.settings.kafka.brokers !== undefined
  if (names.includes('views')) checkViews(runtime)
  const parts: { -readonly [Part in keyof UpParts]: UpParts[Part] } = {}
  const create = {
    ingestion: () => {
      parts.ingestion = createIngestion(runtime)
      return parts.ingestion.service
    },
    bars: () => {
      parts.bars = createBarsService(runtime)
      return parts.bars.service
    },
    views: () => {
      parts.views = createViews(runtime)
      return parts.views.service
    },
    stream: () => {
      parts.stream = createStream(runtime)
      return parts.stream.service
    },
  }
  const wanted = (isWanted: (name: ServiceName) => boolean): ServiceFactory[] =>
    serviceNames
      .toReversed()
      .filter((name) => names.includes(name) && isWanted(name))
      // What a cluster or a registry refuses the others must not end ingestion, which cannot be done again.
      .map((name) => ({
        name,
        create: create[name],
        endsProcess: name === 'ingestion' || !names.includes('ingestion') || !usesKafka,
      }))
  const supervisor = new Supervisor(runtime)
  let waits: readonly ServiceName[] = []
  const http = await startHttp({
    ...runtime.settings.http,
    metrics: runtime.metrics,
    health: () =>
      waits.length === 0 ? supervisor.health() : { ...supervisor.health(), status: 'degraded', waits_for_cluster: waits },
    about: { pid: process.pid, directory: runtime.directory },
  })
  let control: ControlServer | undefined
  const waiting = new AbortController()
  let connecting: Promise<void> | undefined
  const stop = async () => {
    waiting.abort()
    await control?.close()
    // Ingestion drains at once: a connection under way may take its whole time-out.
    await supervisor.stop()
    await connecting
    await http.close()
  }
  try {
    // Readers first: what is ingested is followed from its first record. While the brokers are away there is nothing for them to
    // read, and ingestion does not wait.
    if (await isConnected(runtime, names)) await supervisor.start(wanted(() => true))
    else {
      await supervisor.start(wanted((name) => name === 'ingestion'))
      waits = names.filter((name) => name !== 'ingestion')
      connecting = connectLater(runtime, waiting.signal).then(async (connected) => {
        waits = []
        if (connected) await supervisor.start(wanted((name) => name !== 'ingestion'))
      })
    }
    if (names.includes('ingestion')) control = await startControl(runtime.directory, () => parts.ingestion?.feeds ?? [])
  } catch (error) {
    await stop()
    throw error
  }
  return { supervisor, http, parts, stop }
}

/** What ingestion waits for an answer: a market that is missed cannot be asked for again. */
const PATIENCE_MS = 2_000
const RECONNECT_MS_MIN = 500
const RECONNECT_MS_MAX = 5_000

/** False: the brokers are away, and this process has something to do without them. */
async function isConnected(runtime: Runtime, names: readonly ServiceName[]): Promise<boolean> {
  const ingests = names.includes('ingestion')
  const patience = new AbortController()
  const timer = runtime.clock.setTimer(() => patience.abort(), PATIENCE_MS)
  try {
    await (ingests ? unlessAborted(runtime.connect(), patience.signal) : runtime.connect())
    if (!patience.signal.aborted || runtime.kafka !== undefined) return true
    runtime.logger.warn({}, 'the brokers have not answered yet: ingestion begins, the other services wait for them')
    return false
  } catch (error) {
    if (!ingests || !isAway(error)) throw error
    runtime.logger.warn({ error }, 'the brokers are away: ingestion goes on, the other services wait for them')
    return false
  } finally {
    timer.cancel()
  }
}

/** At the start wrong credentials are told at once; later they may be changing. */
const isAway = (error: unknown): boolean => error instanceof KafkaError && !(error instanceof KafkaAuthError)

/** Goes on until it is told to stop: nothing that a broker says later is a reason to leave the cluster for good. */
async function connectLater(runtime: Runtime, signal: AbortSignal): Promise<boolean> {
  for (let waitMs = RECONNECT_MS_MIN; !signal.aborted; waitMs = Math.min(waitMs * 2, RECONNECT_MS_MAX)) {
    await delay(runtime.clock, waitMs, signal).catch(() => undefined)
    if (signal.aborted) break
    try {
      await unlessAborted(runtime.connect(), signal)
      return !signal.aborted
    } catch (error) {
      runtime.logger.debug({ error }, 'the cluster cannot be used yet')
    }
  }
  return false
}
