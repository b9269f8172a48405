/**
 * Topic names and their settings: config/topics.yaml as checked values. Everything is worked out once, when the file is read; a
 * look-up is one access to a map.
 */
import { TopicError } from '../core/errors.js'
import { type AssetClass, assetClasses, type DataType, dataTypes } from './names.js'
import type { Compression, InternalDeclaration, TopicDeclaration, TopicsFile, ViewEncoding } from './topics-file.js'

export interface TopicConfig {
  readonly name: string
  /** Undefined for the engine's own topics. */
  readonly assetClass: AssetClass | undefined
  readonly dataType: DataType | undefined
  readonly exchange: string | undefined
  /** Of the engine's topic. */
  readonly partitions: number
  /** Of its public view on a Kafka cluster; `view` says whether it has one. */
  readonly viewPartitions: number
  readonly view: boolean
  readonly viewEncoding: ViewEncoding
  readonly segmentBytes: number
  /** -1: forever. */
  readonly retentionMs: number
  /** Per partition; -1: no budget. */
  readonly retentionBytes: number
  readonly compact: boolean
  /** Codec that brokers keep it in (`compression.type`): what producers send in another one (`kafka.compression`) is recompressed. */
  readonly compression: Compression
  /** On a Kafka cluster; a cluster with fewer brokers gets as many as it has. */
  readonly replication: number
  readonly minIsr: number
  /** Symbols with a partition of the engine's topic of their own. */
  readonly dedicatedPartitions: ReadonlyMap<string, number>
  readonly schemaSubject: string | undefined
  readonly schemaName: string | undefined
  readonly partitionKeyField: 'symbol'
}

export interface TopicExchange {
  readonly name: string
  readonly assetClass: AssetClass
  readonly exchange: string
  readonly partitions: number
  readonly country: string
  readonly timezone: string
}

/** A topic of before, one for all exchanges; `tickwire topics migrate` moves it. */
export interface FlatTopic {
  readonly name: string
  readonly dataType: DataType
  readonly partitions: number
}

export interface TopicFilter {
  readonly assetClass?: string
  readonly dataTypes?: readonly string[]
  readonly exchanges?: readonly string[]
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 120))

function refuse(what: string, given: string, validValues: readonly string[], fix: string): never {
  throw new TopicError(`${what} ${quoted(given)} is not declared; valid: ${validValues.join(', ')}`, {
    field: what.replaceAll(' ', '_'),
    validValues,
    fix,
  })
}

export class TopicNameBuilder {
  readonly #topics = new Map<string, TopicConfig>()
  readonly #exchanges = new Map<AssetClass, Map<string, TopicExchange>>()
  readonly #aliases: ReadonlyMap<string, DataType>
  readonly #internal: Readonly<Record<string, InternalDeclaration>>
  readonly #file: TopicsFile
  /** Where the declarations stand: for messages about them. */
  readonly source: string

  constructor(file: TopicsFile, source = 'topics.yaml') {
    this.#file = file
    this.source = source
    this.#aliases = new Map(Object.entries(file.aliases))
    this.#internal = file.internal
    for (const [assetClass, declared] of Object.entries(file.asset_classes)) {
      const exchanges = new Map<string, TopicExchange>()
      for (const [exchange, e] of Object.entries(declared.exchanges)) {
        exchanges.set(exchange, { ...e, exchange, assetClass: assetClass as AssetClass })
        for (const dataType of dataTypes) {
          const config = this.#build(assetClass as AssetClass, dataType, exchange, e)
          this.#topics.set(config.name, config)
        }
      }
      this.#exchanges.set(assetClass as AssetClass, exchanges)
    }
  }

  /** `market.{asset_class}.{data_type}.{exchange}`; throws TopicError with the valid values. */
  buildTopicName(assetClass: string, dataType: string, exchange: string): string {
    return this.getTopicConfig(assetClass, dataType, exchange).name
  }

  getTopicConfig(assetClass: string, dataType: string, exchange: string): TopicConfig {
    const config = this.#topics.get(`market.${assetClass}.${dataType}.${exchange}`)
    if (config !== undefined) return config
    const exchanges = this.#exchanges.get(assetClass as AssetClass)
    if (exchanges === undefined) refuse('asset class', assetClass, assetClasses, 'use one of them')
    if (!dataTypes.includes(dataType as DataType)) refuse('data type', dataType, dataTypes, 'use one of them')
    return refuse('exchange', exchange, [...exchanges.keys()], `declare it under asset_classes.${assetClass}.exchanges`)
  }

  /** The settings of a full topic name, the engine's own included; throws TopicError for any other. */
  get(name: string): TopicConfig {
    const config = this.find(name)
    if (config !== undefined) return config
    const parts = name.split('.')
    if (parts.length === 4 && parts[0] === 'market') return this.getTopicConfig(parts[1] ?? '', parts[2] ?? '', parts[3] ?? '')
    return refuse(
      'topic',
      name,
      [...this.#aliases.keys(), 'market.{asset_class}.{data_type}.{exchange}'],
      '`tickwire topics` lists them all',
    )
  }

  find(name: string): TopicConfig | undefined {
    const config = this.#topics.get(name)
    if (config !== undefined) return config
    const of = name.endsWith('.dlq') ? this.#topics.get(name.slice(0, -4)) : undefined
    const letters = this.#internal['{topic}.dlq']
    // Dead letters stand in the partition of what they were.
    if (of !== undefined && letters !== undefined)
      return this.#internalConfig(name, { ...letters, engine_partitions: of.partitions })
    for (const [pattern, declared] of Object.entries(this.#internal)) {
      const variable = pattern.indexOf('{name}')
      const matches =
        variable < 0 ? name === pattern : name.startsWith(pattern.slice(0, variable)) && isInternalName(name.slice(variable))
      if (matches) return this.#internalConfig(name, declared)
    }
    return undefined
  }

  /** One of the engine's own topics: `internalTopic('state', 'bars')` → `tickwire.state.bars`. */
  internalTopic(kind: 'status'): TopicConfig
  internalTopic(kind: 'state', name: string): TopicConfig
  internalTopic(kind: 'status' | 'state', name?: string): TopicConfig {
    return this.get(name === undefined ? `tickwire.${kind}` : `tickwire.${kind}.${name}`)
  }

  /** A full name, an alias, or a name with `*` for a part: the topics it stands for. */
  resolve(nameOrAlias: string): TopicConfig[] {
    const dataType = this.#aliases.get(nameOrAlias)
    if (dataType !== undefined) return this.subscription({ dataTypes: [dataType] })
    if (nameOrAlias.includes('*')) {
      const wanted = nameOrAlias.split('.')
      const found = this.list().filter((t) => {
        const parts = t.name.split('.')
        return parts.length === wanted.length && parts.every((part, i) => wanted[i] === '*' || wanted[i] === part)
      })
      if (found.length > 0) return found
    }
    return [this.get(nameOrAlias)]
  }

  /** Topics by asset class, data types and exchanges, in order of name. */
  subscription(filter: TopicFilter): TopicConfig[] {
    const { assetClass, dataTypes: types, exchanges } = filter
    if (assetClass !== undefined && !this.#exchanges.has(assetClass as AssetClass))
      refuse('asset class', assetClass, assetClasses, 'use one of them')
    for (const type of types ?? [])
      if (!dataTypes.includes(type as DataType)) refuse('data type', type, dataTypes, 'use one of them')
    const known = this.exchanges.filter((e) => assetClass === undefined || e.assetClass === assetClass).map((e) => e.exchange)
    for (const exchange of exchanges ?? [])
      if (!known.includes(exchange)) refuse('exchange', exchange, [...new Set(known)], 'use one of them')
    return this.list().filter(
      (t) =>
        (assetClass === undefined || t.assetClass === assetClass) &&
        (types === undefined || types.includes(t.dataType ?? '')) &&
        (exchanges === undefined || exchanges.includes(t.exchange ?? '')),
    )
  }

  list(): TopicConfig[] {
    return [...this.#topics.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  get exchanges(): TopicExchange[] {
    return [...this.#exchanges.values()].flatMap((exchanges) => [...exchanges.values()])
  }

  get aliases(): ReadonlyMap<string, DataType> {
    return this.#aliases
  }

  get flatTopics(): FlatTopic[] {
    return Object.entries(this.#file.flat_topics).map(([name, f]) => ({ name, dataType: f.data_type, partitions: f.partitions }))
  }

  #build(
    assetClass: AssetClass,
    dataType: DataType,
    exchange: string,
    e: { partitions: number; engine_partitions?: number | undefined },
  ): TopicConfig {
    const name = `market.${assetClass}.${dataType}.${exchange}`
    const type: TopicDeclaration = { ...this.#file.data_types[dataType], ...this.#file.topics[name] }
    return {
      name,
      assetClass,
      dataType,
      exchange,
      partitions: type.engine_partitions ?? e.engine_partitions ?? this.#file.defaults.engine_partitions,
      viewPartitions: type.view_partitions ?? e.partitions,
      view: (type.view ?? false) !== false,
      viewEncoding: typeof type.view === 'string' ? type.view : 'json',
      dedicatedPartitions: new Map(Object.entries(type.dedicated_partitions ?? {})),
      ...this.#kept(type),
      schemaSubject: `market.${assetClass}.${dataType}-value`,
      schemaName: type.schema,
      partitionKeyField: 'symbol',
    }
  }

  /** How a topic is kept and written: the same settings for every kind. */
  #kept(declared: InternalDeclaration) {
    const defaults = this.#file.defaults
    return {
      segmentBytes: declared.segment ?? defaults.segment,
      retentionMs: declared.retention ?? -1,
      retentionBytes: declared.retention_bytes ?? -1,
      compact: declared.compaction ?? false,
      compression: declared.compression ?? defaults.compression,
      replication: declared.replication ?? defaults.replication,
      minIsr: declared.min_isr ?? defaults.min_isr,
    }
  }

  #internalConfig(name: string, declared: InternalDeclaration): TopicConfig {
    const partitions = declared.engine_partitions ?? this.#file.defaults.engine_partitions
    return {
      name,
      assetClass: undefined,
      dataType: undefined,
      exchange: undefined,
      partitions,
      viewPartitions: partitions,
      view: false,
      viewEncoding: 'json',
      dedicatedPartitions: new Map(),
      ...this.#kept(declared),
      schemaSubject: undefined,
      schemaName: undefined,
      partitionKeyField: 'symbol',
    }
  }
}

const isInternalName = (name: string): boolean => /^[a-z0-9_-]{1,64}$/.test(name)
