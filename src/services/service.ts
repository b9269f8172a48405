/** A service: components that start in order and stop in reverse, with one state and one health. */
import { type Clock, systemClock } from '../core/clock.js'
import { withCorrelation } from '../core/correlation.js'
import { PlatformError, ServiceError } from '../core/errors.js'
import { type Logger, silentLogger } from '../core/logging.js'
import type { Metrics } from '../core/metrics.js'
import type { Component, ComponentHealth } from './component.js'

export const serviceStates = ['stopped', 'starting', 'running', 'stopping', 'failed', 'waiting'] as const
export type ServiceState = (typeof serviceStates)[number]

/** What every service of a process shares. */
export interface ServiceSettings {
  readonly clock?: Clock
  readonly random?: () => number
  readonly logger?: Logger
  readonly metrics?: Metrics
  /** How long a component may take to stop before it is left behind. */
  readonly drainMsMax?: number
}

export interface ServiceHealth {
  readonly service: string
  readonly state: ServiceState
  readonly status: 'ok' | 'degraded' | 'failed'
  readonly sinceMs: number
  readonly error?: { readonly code: string; readonly message: string }
  readonly components: Readonly<Record<string, ComponentHealth>>
}

export interface ServiceParts {
  readonly producers: readonly Component[]
  readonly natives: readonly Component[]
  readonly consumers: readonly Component[]
  readonly hasMetrics: boolean
}

export class StreamService<Config = unknown> {
  readonly name: string
  readonly config: Config
  readonly producers: readonly Component[]
  readonly #components: readonly Component[]
  readonly #settings: ServiceSettings
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #metrics: Metrics | undefined
  #state: ServiceState = 'stopped'
  #sinceMs: number
  #started: Component[] = []
  #error: Error | undefined
  #onFailure: ((error: Error) => void) | undefined
  #removeCollector: (() => void) | undefined
  #stopping: Promise<void> | undefined
  #starting: Promise<void> | undefined

  constructor(name: string, config: Config, settings: ServiceSettings, parts: ServiceParts) {
    this.name = name
    this.config = config
    this.producers = parts.producers
    // Whoever is written to is there before the writer, and stops after it.
    this.#components = [...parts.producers, ...parts.natives, ...parts.consumers]
    this.#settings = settings
    this.#clock = settings.clock ?? systemClock
    this.#logger = (settings.logger ?? silentLogger).child({ service: name })
    this.#metrics = parts.hasMetrics ? settings.metrics : undefined
    this.#sinceMs = this.#clock.wallMs()
  }

  get state(): ServiceState {
    return this.#state
  }

  /** Called once, when a running service can no longer go on; it has stopped its components by then. */
  onFailure(handler: (error: Error) => void): void {
    this.#onFailure = handler
  }

  start(): Promise<void> {
    const starting = this.#start()
    this.#starting = starting.catch(() => {})
    return starting
  }

  async #start(): Promise<void> {
    if (this.#state !== 'stopped' && this.#state !== 'failed')
      throw new ServiceError(`${this.name} is ${this.#state} and cannot be started`)
    this.#enter('starting')
    this.#error = undefined
    this.#stopping = undefined
    this.#started = []
    let current: Component | undefined
    try {
      for (const component of this.#components) {
        current = component
        this.#started.push(component)
        await withCorrelation(undefined, () => component.start(this.#context(component)))
        if (!this.#isIn('starting')) throw new ServiceError(`${this.name} was stopped while it started`)
        // A component that came up earlier may have failed meanwhile.
        if (this.#error !== undefined) throw this.#error
      }
    } catch (error) {
      if (!this.#isIn('starting')) {
        // A stop came meanwhile. It could not stop what this component only then began.
        await this.#stopping
        if (current !== undefined) await this.#stopOne(current)
        throw error
      }
      this.#error = asError(error)
      await this.#stopComponents()
      this.#enter('failed')
      this.#count(this.#error)
      throw this.#error
    }
    if (this.#metrics !== undefined) {
      const metrics = this.#metrics
      this.#removeCollector = metrics.onCollect(async () => {
        await Promise.all(this.#components.map((component) => this.#collect(component, metrics)))
      })
    }
    this.#enter('running')
    this.#logger.info({ components: this.#components.map((c) => c.name) }, 'started')
  }

  /** Drains and stops; safe to call in any state, and twice. */
  async stop(): Promise<void> {
    if (this.#state === 'stopped') return
    if (this.#state === 'failed') {
      await this.#stopping
      this.#enter('stopped')
      return
    }
    const starting = this.#state === 'starting' ? this.#starting : undefined
    this.#enter('stopping')
    await this.#stopComponents()
    await starting
    if (this.#state === 'stopping') this.#enter('stopped')
    this.#logger.info({}, 'stopped')
  }

  health(): ServiceHealth {
    const components = Object.fromEntries(this.#components.map((c) => [c.name, this.#healthOf(c)]))
    const worst = Object.values(components).some((c) => c.status === 'failed')
      ? 'failed'
      : this.#state !== 'running' || Object.values(components).some((c) => c.status === 'degraded')
        ? 'degraded'
        : 'ok'
    return {
      service: this.name,
      state: this.#state,
      status: this.#state === 'failed' ? 'failed' : worst,
      sinceMs: this.#sinceMs,
      ...(this.#error === undefined ? {} : { error: { code: codeOf(this.#error), message: this.#error.message } }),
      components,
    }
  }

  #healthOf(component: Component): ComponentHealth {
    try {
      return component.health?.() ?? { status: 'ok' }
    } catch (error) {
      return { status: 'failed', details: { error: asError(error).message } }
    }
  }

  #context(component: Component) {
    return {
      service: this.name,
      clock: this.#clock,
      random: this.#settings.random ?? Math.random,
      logger: this.#logger.child({ component: component.name }),
      fail: (error: Error) => void this.#failed(component, error),
    }
  }

  async #failed(component: Component, error: Error): Promise<void> {
    if (this.#error !== undefined || this.#state === 'stopping' || this.#state === 'stopped') return
    this.#error = error
    this.#logger.error({ error, component: component.name }, 'component failed')
    // A service that is still starting throws from start().
    if (this.#state !== 'running') return
    this.#count(error)
    this.#enter('failed')
    await this.#stopComponents()
    this.#onFailure?.(error)
  }

  #stopComponents(): Promise<void> {
    this.#stopping ??= (async () => {
      this.#collectLast()
      for (const component of this.#started.toReversed()) await this.#stopOne(component)
      this.#started = []
    })()
    return this.#stopping
  }

  async #stopOne(component: Component): Promise<void> {
    try {
      await this.#limited(component)
    } catch (error) {
      this.#logger.error({ error, component: component.name }, 'component did not stop cleanly')
    }
  }

  #isIn(state: ServiceState): boolean {
    return this.#state === state
  }

  /** Totals of a component end with it: they are taken once more before it goes. */
  #collectLast(): void {
    if (this.#removeCollector === undefined || this.#metrics === undefined) return
    for (const component of this.#components) void this.#collect(component, this.#metrics)
    this.#removeCollector()
    this.#removeCollector = undefined
  }

  /** Never rejects: the totals of one component are not worth those of the others. */
  async #collect(component: Component, metrics: Metrics): Promise<void> {
    try {
      await component.collect?.(metrics)
    } catch (error) {
      this.#logger.warn({ error, component: component.name }, 'its metrics were not collected')
    }
  }

  async #limited(component: Component): Promise<void> {
    const limitMs = this.#settings.drainMsMax ?? 10_000
    let late: (() => void) | undefined
    const timer = this.#clock.setTimer(() => late?.(), limitMs)
    const timedOut = new Promise<never>((_resolve, reject) => {
      late = () => reject(new ServiceError(`${this.name}: ${component.name} did not stop within ${limitMs} ms`))
    })
    try {
      await Promise.race([component.stop(), timedOut])
    } finally {
      timer.cancel()
    }
  }

  #count(error: Error): void {
    this.#metrics?.add('errors_total', { service: this.name, code: codeOf(error) })
  }

  #enter(state: ServiceState): void {
    this.#state = state
    this.#sinceMs = this.#clock.wallMs()
    this.#metrics?.set('tickwire_service_state', { service: this.name }, serviceStates.indexOf(state))
  }
}

export const asError = (error: unknown): Error => (error instanceof Error ? error : new ServiceError(String(error)))
export const codeOf = (error: Error): string => (error instanceof PlatformError ? error.code : 'MD_UNKNOWN')
