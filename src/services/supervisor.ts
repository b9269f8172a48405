/**
 * Keeps the services of a process running: one that fails is built and started anew after a back-off; five failures within a
 * minute end the process with that error's code, because starting again would only hide what is wrong, unless the process has
 * something more important to do.
 */
import { type Clock, systemClock, type Timer } from '../core/clock.js'
import { PlatformError } from '../core/errors.js'
import { type Logger, silentLogger } from '../core/logging.js'
import type { Metrics } from '../core/metrics.js'
import { asError, codeOf, type ServiceHealth, type StreamService, serviceStates } from './service.js'

export interface SupervisorOptions {
  readonly clock?: Clock
  readonly random?: () => number
  readonly logger?: Logger
  readonly metrics?: Metrics
  readonly failuresMax?: number
  readonly windowMs?: number
  readonly backoffMsMin?: number
  readonly backoffMsMax?: number
}

/** Builds a service; called again for every restart. */
export interface ServiceFactory {
  readonly name: string
  /** False: however it fails, it is started again, and the other services of the process go on. */
  readonly endsProcess?: boolean
  create(): StreamService | Promise<StreamService>
}

interface Supervised {
  readonly factory: ServiceFactory
  service: StreamService | undefined
  /** The start under way, or the last one. */
  launch: Promise<void> | undefined
  failuresMs: number[]
  restarts: number
  timer: Timer | undefined
  retryAtMs: number | undefined
  error: Error | undefined
}

export interface SupervisedHealth extends ServiceHealth {
  readonly restarts: number
  readonly retryAtMs?: number
}

export interface ProcessHealth {
  readonly status: 'ok' | 'degraded' | 'failed'
  readonly services: readonly SupervisedHealth[]
}

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #supervised: Supervised[] = []
  #stopped: Promise<void> | undefined
  #end: ((error: Error) => void) | undefined
  /** Settles with the error that ends the process; pending while all is well. */
  readonly ended: Promise<Error>

  constructor(options: SupervisorOptions = {}) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /**
   * Starts the services in order; what fails here is started again like any later failure. Those of a later call stand before those
   * of earlier ones, and stop after them.
   */
  async start(factories: readonly ServiceFactory[]): Promise<void> {
    for (const [place, factory] of factories.entries()) {
      if (this.#stopped !== undefined) return
      const supervised: Supervised = {
        factory,
        service: undefined,
        launch: undefined,
        failuresMs: [],
        restarts: 0,
        timer: undefined,
        retryAtMs: undefined,
        error: undefined,
      }
      this.#supervised.splice(place, 0, supervised)
      supervised.launch = this.#launch(supervised)
      await supervised.launch
    }
  }

  /** Stops the services in reverse order, and starts none again. */
  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      for (const supervised of this.#supervised.toReversed()) {
        supervised.timer?.cancel()
        await supervised.service?.stop()
        await supervised.launch
      }
    })()
    return this.#stopped
  }

  /** Why a service is not running now; undefined when all are. */
  get failing(): Error | undefined {
    return this.#supervised.find((s) => s.error !== undefined)?.error
  }

  health(): ProcessHealth {
    const services = this.#supervised.map((s) => this.#healthOf(s))
    const status = services.some((s) => s.status === 'failed')
      ? 'failed'
      : services.some((s) => s.status === 'degraded')
        ? 'degraded'
        : 'ok'
    return { status, services }
  }

  #healthOf(s: Supervised): SupervisedHealth {
    const base = s.service?.health() ?? {
      service: s.factory.name,
      state: 'stopped' as const,
      status: 'degraded' as const,
      sinceMs: this.#clock.wallMs(),
      components: {},
    }
    const error = s.error === undefined ? {} : { error: { code: codeOf(s.error), message: s.error.message } }
    if (s.retryAtMs === undefined) return { ...error, ...base, restarts: s.restarts }
    return { ...base, ...error, state: 'waiting', status: 'failed', restarts: s.restarts, retryAtMs: s.retryAtMs }
  }

  async #launch(supervised: Supervised): Promise<void> {
    supervised.retryAtMs = undefined
    supervised.timer = undefined
    try {
      const service = await this.#create(supervised.factory)
      if (this.#stopped !== undefined) return
      supervised.service = service
      service.onFailure((error) => this.#failed(supervised, error))
      await service.start()
      supervised.error = undefined
      // A stop that came while it started.
      if (this.#stopped !== undefined) await service.stop()
    } catch (error) {
      this.#failed(supervised, asError(error))
    }
  }

  /** A service counts its own errors; one that could not be built cannot. */
  async #create(factory: ServiceFactory): Promise<StreamService> {
    try {
      return await factory.create()
    } catch (error) {
      this.#options.metrics?.add('errors_total', { service: factory.name, code: codeOf(asError(error)) })
      throw error
    }
  }

  #failed(supervised: Supervised, error: Error): void {
    supervised.error = error
    const name = supervised.factory.name
    if (this.#stopped !== undefined) return
    const nowMs = this.#clock.monotonicMs()
    const windowMs = this.#options.windowMs ?? 60_000
    const failuresMax = this.#options.failuresMax ?? 5
    supervised.failuresMs = [...supervised.failuresMs.filter((t) => nowMs - t < windowMs), nowMs]
    const failures = supervised.failuresMs.length
    // A wrong setting stays wrong however often it is tried.
    const isHopeless = error instanceof PlatformError && error.exitCode === 2
    const endsProcess = supervised.factory.endsProcess !== false
    if (endsProcess && (failures >= failuresMax || isHopeless)) {
      this.#logger.error({ error, failures, service: name }, 'service failed too often')
      this.#end?.(error)
      return
    }
    const min = this.#options.backoffMsMin ?? 250
    const full = Math.min(this.#options.backoffMsMax ?? 10_000, min * 2 ** (failures - 1))
    const waitMs = Math.round(full * (0.5 + 0.5 * (this.#options.random ?? Math.random)()))
    supervised.retryAtMs = this.#clock.wallMs() + waitMs
    this.#options.metrics?.set('tickwire_service_state', { service: name }, serviceStates.indexOf('waiting'))
    this.#logger.warn({ error, failures, wait_ms: waitMs, service: name }, 'service failed, will be started again')
    supervised.timer = this.#clock.setTimer(() => {
      supervised.restarts++
      this.#options.metrics?.add('tickwire_service_restarts_total', { service: name })
      supervised.launch = this.#launch(supervised)
    }, waitMs)
  }
}

/** What a process answers when it ends with this error. */
export const exitCodeOf = (error: unknown): number => (error instanceof PlatformError ? error.exitCode : 1)
