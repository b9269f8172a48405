/** The one way to make a service: composition of producers, native components and consumer handlers. */
import { ServiceError } from '../core/errors.js'
import type { Component } from './component.js'
import { type ServiceSettings, StreamService } from './service.js'

/** What the builder needs to make producers and consumers; the process opens it once, around its log. */
export interface StreamFactory<Handler, ProducerOptions> {
  createProducer(options: ProducerOptions): Component
  createConsumer(options: ConsumerOptions<Handler>): Component
}

export interface ConsumerOptions<Handler> {
  readonly service: string
  readonly topics: readonly string[]
  readonly groupId: string
  readonly handler: Handler
  /** Retry by class and dead letters; without it a failed batch fails the service. */
  readonly hasErrorHandling: boolean
  readonly hasMetrics: boolean
}

const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/

export class StreamServiceBuilder<Config, Handler = unknown, ProducerOptions = void> {
  readonly #name: string
  readonly #config: Config
  readonly #settings: ServiceSettings & { readonly streams?: StreamFactory<Handler, ProducerOptions> }
  readonly #natives: Component[] = []
  readonly #producers: ProducerOptions[] = []
  readonly #consumers: { topics: readonly string[]; groupId: string; handler: Handler }[] = []
  #hasMetrics = false
  #hasErrorHandling = false

  constructor(
    name: string,
    config: Config,
    settings: ServiceSettings & { readonly streams?: StreamFactory<Handler, ProducerOptions> },
  ) {
    if (!NAME.test(name))
      throw new ServiceError(`${JSON.stringify(name)} is not a service name`, { field: 'name', fix: 'use [a-z0-9_.-]' })
    this.#name = name
    this.#config = config
    this.#settings = settings
  }

  /** Counts, times and shows the service's components under /metrics. */
  withMetrics(): this {
    this.#hasMetrics = true
    return this
  }

  /** Retries failed records by the class of their error, then dead-letters them. */
  withErrorHandling(): this {
    this.#hasErrorHandling = true
    return this
  }

  addProducer(options: ProducerOptions): this {
    this.#producers.push(options)
    return this
  }

  /** The handler reads the topics as a member of the group: one batch per partition in flight, committed when it settles. */
  addConsumerHandler(topics: readonly string[], groupId: string, handler: Handler): this {
    if (topics.length === 0) throw new ServiceError(`${this.#name}: a consumer handler needs a topic`, { field: 'topics' })
    if (!NAME.test(groupId))
      throw new ServiceError(`${this.#name}: ${JSON.stringify(groupId)} is not a group id`, {
        field: 'groupId',
        fix: 'use [a-z0-9_.-]',
      })
    this.#consumers.push({ topics, groupId, handler })
    return this
  }

  /** A native processor, feed or gateway. */
  addNative(component: Component): this {
    this.#natives.push(component)
    return this
  }

  build(): StreamService<Config> {
    const { streams } = this.#settings
    if (streams === undefined && this.#producers.length + this.#consumers.length > 0) {
      throw new ServiceError(`${this.#name} has producers or consumers but no log`, { fix: 'give `streams` in the settings' })
    }
    const producers = streams === undefined ? [] : this.#producers.map((options) => streams.createProducer(options))
    const consumers =
      streams === undefined
        ? []
        : this.#consumers.map((c) =>
            streams.createConsumer({
              ...c,
              service: this.#name,
              hasErrorHandling: this.#hasErrorHandling,
              hasMetrics: this.#hasMetrics,
            }),
          )
    const names = [...producers, ...this.#natives, ...consumers].map((c) => c.name)
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined) throw new ServiceError(`${this.#name} has two components named ${twice}`)
    if (names.length === 0)
      throw new ServiceError(`${this.#name} has no component`, {
        fix: 'add a producer, a consumer handler or a native component',
      })
    return new StreamService(this.#name, this.#config, this.#settings, {
      producers,
      natives: this.#natives,
      consumers,
      hasMetrics: this.#hasMetrics,
    })
  }
}
