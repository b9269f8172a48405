/**
 * The views service: public topics for everybody else. Reads the engine's topics on the cluster as a group (`tickwire-views`), writes
 * one message per record, keyed by symbol, as JSON, Avro or the record itself. At least once; each record carries its event id.
 * Brokers away: the group's position waits.
 */
import { join } from 'node:path'
import type { Timer } from '../core/clock.js'
import { ConfigError, ServiceError } from '../core/errors.js'
import type { Metrics } from '../core/metrics.js'
import {
  createMissing,
  declaredSchemas,
  kafkaProperties,
  registryAddress,
  SchemaRegistry,
  schemaIds,
  viewTopicOf,
} from '../log/index.js'
import type { TopicConfig } from '../model/topics.js'
import { makeViewPublisher, type NativeViewPublisher, type PublisherStats, type ViewTopic } from '../native/publish.js'
import { barExchanges } from './bars.js'
import { StreamServiceBuilder } from './builder.js'
import type { Component, ComponentContext, ComponentHealth } from './component.js'
import { collectPublisher, publisherHealth } from './publisher-metrics.js'
import type { Runtime } from './runtime.js'
import type { StreamService } from './service.js'
import type { Settings } from './settings.js'

const REGISTRY_MS = 500

const viewOf = (topic: TopicConfig, schemas: ReadonlyMap<string, number>): ViewTopic => ({
  topic: topic.name,
  encoding: topic.viewEncoding,
  ...(topic.viewEncoding === 'avro' && topic.schemaName !== undefined
    ? { schemaIds: { [topic.schemaName]: schemas.get(topic.schemaSubject ?? '') ?? 0 } }
    : {}),
})

/** The topics of these exchanges that config/topics.yaml gives a view. */
function viewedTopics(runtime: Runtime): TopicConfig[] {
  const names = new Set(barExchanges(runtime).map((exchange) => exchange.name))
  return runtime.topics.list().filter((topic) => topic.view && topic.exchange !== undefined && names.has(topic.exchange))
}

/** What the Avro views ask of a registry; undefined: there are none. Throws ConfigError or TopicError; asks no registry. */
function avroOf(runtime: Runtime) {
  const avro = viewedTopics(runtime).filter((topic) => topic.viewEncoding === 'avro')
  const [first] = avro
  if (first === undefined) return undefined
  const { url, ca_file } = runtime.settings.kafka.registry
  if (url === undefined) {
    throw new ConfigError(`${first.name} is to be shown as Avro, and there is no schema registry`, {
      field: 'kafka.registry.url',
      fix: 'name the registry, or choose `view: json` in topics.yaml',
    })
  }
  return {
    schemas: declaredSchemas(avro, runtime.topics.source),
    registry: new SchemaRegistry(registryAddress({ url, ca_file }, runtime.environment)),
  }
}

/** Throws what is wrong with settings, files and declarations whenever they are tried: told before anything starts. Asks no broker. */
export function checkViews(runtime: Runtime): void {
  const { kafka } = runtime.settings
  if (kafka.brokers === undefined) {
    throw new ConfigError('views stand on a Kafka cluster, and no brokers are named', {
      field: 'kafka.brokers',
      fix: 'give `--kafka host:port`',
    })
  }
  kafkaProperties(kafka, runtime.environment)
  avroOf(runtime)
}

export class ViewsComponent implements Component {
  readonly name = 'views'
  readonly #runtime: Runtime
  #native: NativeViewPublisher | undefined
  #last: PublisherStats | undefined
  #timer: Timer | undefined
  readonly #listed = new Set<number>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  async start(context: ComponentContext): Promise<void> {
    const runtime = this.#runtime
    const { kafka } = runtime
    if (kafka === undefined) throw new ServiceError('Kafka is not connected yet')
    const topics = viewedTopics(runtime)
    const schemas = await this.#schemas(context)
    await runtime.ensureTopics(topics)
    await createMissing(kafka.admin, topics.map(viewTopicOf), context.clock)
    const names = barExchanges(runtime).map((exchange) => exchange.name)
    await runtime.registry.refresh(names)
    const settings = runtime.settings.kafka
    const native = makeViewPublisher(runtime.log.native.engine(), {
      properties: kafkaProperties(settings, runtime.environment),
      profile: settings.profile,
      compression: settings.compression,
      views: topics.map((topic) => viewOf(topic, schemas)),
    })
    this.#native = native
    this.#list(names)
    this.#watch(context, names)
    await native.start()
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    await this.#native?.stop()
    this.#last = this.stats()
    this.#native = undefined
  }

  stats(): PublisherStats | undefined {
    return this.#native?.stats() ?? this.#last
  }

  health(): ComponentHealth {
    const stats = this.stats()
    return stats === undefined ? { status: 'degraded' } : publisherHealth(stats)
  }

  collect(metrics: Metrics): void {
    const stats = this.stats()
    if (stats !== undefined) collectPublisher(metrics, this.name, stats)
  }

  /** Gives the publisher the instruments that it has not been given. */
  #list(exchanges: readonly string[]): void {
    const { registry } = this.#runtime
    for (const { id, symbol, price_exponent: price, size_exponent: size } of exchanges.flatMap((name) => registry.all(name))) {
      if (this.#listed.has(id)) continue
      this.#listed.add(id)
      this.#native?.addInstrument(id, symbol, price, size)
    }
  }

  /** New instruments are listed by whoever ingests; a record of one waits for it in the publisher. */
  #watch(context: ComponentContext, exchanges: readonly string[]): void {
    this.#timer = context.clock.setTimer(() => {
      this.#runtime.registry
        .refresh(exchanges)
        .then(() => this.#list(exchanges))
        .catch((error: unknown) => context.logger.warn({ error }, 'the registry could not be read'))
        .finally(() => {
          if (this.#timer !== undefined) this.#watch(context, exchanges)
        })
    }, REGISTRY_MS)
  }

  /** Ids of the Avro schemas, by subject: checked against the registry before anything is produced, or as they were last seen. */
  async #schemas(context: ComponentContext): Promise<Map<string, number>> {
    const runtime = this.#runtime
    const avro = avroOf(runtime)
    if (avro === undefined) return new Map()
    return await schemaIds(avro.schemas, {
      registry: avro.registry,
      file: join(runtime.directory, 'schema-ids.json'),
      logger: context.logger,
      metrics: runtime.metrics,
    })
  }
}

export interface Views {
  readonly service: StreamService<Settings['kafka']>
  readonly publisher: ViewsComponent
}

export function createViews(runtime: Runtime): Views {
  const publisher = new ViewsComponent(runtime)
  const service = new StreamServiceBuilder('views', runtime.settings.kafka, runtime)
    .withMetrics()
    .withErrorHandling()
    .addNative(publisher)
    .build()
  return { service, publisher }
}
