/**
 * The registry: which instruments there are, by id and by (exchange, symbol). It follows the reference_data topics; ids are given
 * by one writer per exchange at a time, across processes, and stand in the log before their first use.
 */
import { PoisonRecordError, RegistryError, SymbolError } from '../core/errors.js'
import type { Exchange, ExchangeTable } from './exchanges.js'
import { type InstrumentDefinition, type Listing, listingSchema, messageSchema } from './instrument.js'

const ORDINAL_MAX = 0xff_ffff

/** Where definitions are kept: the log in production, memory in tests. */
export interface RegistryStore {
  /** Messages of the exchange that were not given yet, oldest first. */
  read(exchange: Exchange): Promise<readonly { key: string; value: Uint8Array }[]>
  /** Appends and makes durable, in order; the messages are acknowledged when it resolves. */
  append(exchange: Exchange, messages: readonly { key: string; value: Uint8Array }[]): Promise<void>
  /** Runs the work as the exchange's only writer, of all processes. Throws RegistryBusyError when that takes too long. */
  exclusively<T>(exchange: Exchange, work: () => Promise<T>): Promise<T>
}

/** The native table that decoders, bars and the gateway look into. */
export interface NativeTable {
  add(id: number, symbol: string, priceExponent: number, sizeExponent: number): boolean
}

export interface RegistryOptions {
  readonly exchanges: ExchangeTable
  readonly store: RegistryStore
  readonly native?: NativeTable
  /** A message that is no definition: counted and told, never thrown. */
  readonly onBadMessage?: (exchange: string, key: string, reason: string) => void
}

interface Symbols {
  readonly versions: Map<string, InstrumentDefinition[]>
  ordinalNext: number
}

const sourceKey = (venue: string, segment: string, venueId: string): string => `${venue}|${segment}|${venueId}`

export class Registry {
  readonly #options: RegistryOptions
  readonly #byId = new Map<number, InstrumentDefinition>()
  readonly #bySource = new Map<string, InstrumentDefinition>()
  readonly #exchanges = new Map<string, Symbols>()
  /** Work on one exchange is in order within this process as well. */
  readonly #tails = new Map<string, Promise<unknown>>()

  constructor(options: RegistryOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#byId.size
  }

  get(id: number): InstrumentDefinition | undefined {
    return this.#byId.get(id)
  }

  /** The newest id of the symbol. */
  find(exchange: string, symbol: string): InstrumentDefinition | undefined {
    return this.#exchanges.get(exchange)?.versions.get(symbol)?.at(-1)
  }

  findBySource(venue: string, segment: string, venueId: string): InstrumentDefinition | undefined {
    return this.#bySource.get(sourceKey(venue, segment, venueId))
  }

  /** Every id the symbol ever had, the oldest first: history follows the chain. */
  chain(exchange: string, symbol: string): readonly InstrumentDefinition[] {
    return this.#exchanges.get(exchange)?.versions.get(symbol) ?? []
  }

  /** The newest definition of every symbol, in order of symbol. */
  all(exchange: string): InstrumentDefinition[] {
    const versions = this.#exchanges.get(exchange)?.versions.values() ?? []
    return [...versions].flatMap((v) => v.at(-1) ?? []).toSorted((a, b) => (a.symbol < b.symbol ? -1 : 1))
  }

  /** Reads what the log has new of these exchanges; of all when none is named. */
  async refresh(exchanges: readonly string[] = this.#options.exchanges.names): Promise<void> {
    for (const name of exchanges) await this.#inOrder(this.#options.exchanges.get(name), (exchange) => this.#read(exchange))
  }

  /** The definition of an id; an unknown one is looked for in the log first. */
  async resolve(id: number): Promise<InstrumentDefinition | undefined> {
    const exchange = this.#byId.has(id) ? undefined : this.#options.exchanges.ofInstrument(id)
    if (exchange !== undefined) await this.refresh([exchange.name])
    return this.#byId.get(id)
  }

  /**
   * Lists instruments and gives their definitions, in the order asked for. New ones get ordinals in order of symbol. A known one
   * keeps its id; finer exponents than it has make a new id that supersedes it.
   */
  async list(exchangeName: string, listings: readonly Listing[]): Promise<InstrumentDefinition[]> {
    const exchange = this.#options.exchanges.get(exchangeName)
    const checked = listings.map((listing) => {
      const result = listingSchema.safeParse(listing)
      if (result.success) return result.data
      const issue = result.error.issues[0]
      throw new SymbolError(
        `${exchangeName}: ${JSON.stringify(String(listing.symbol).slice(0, 60))}: ${issue?.path.join('.')}: ${issue?.message}`,
        {
          field: issue?.path.join('.'),
          fix: 'symbols are 1 to 40 of A-Z 0-9 . & _ -',
        },
      )
    })
    await this.#inOrder(exchange, async () => {
      if (checked.every((listing) => this.#changed(exchange, listing) === undefined)) return
      await this.#options.store.exclusively(exchange, async () => {
        await this.#read(exchange)
        const messages: { key: string; value: Uint8Array }[] = []
        const symbols = this.#symbols(exchange.name)
        let ordinal = symbols.ordinalNext
        const versionsOf = new Map<string, InstrumentDefinition[]>()
        for (const listing of checked.toSorted((a, b) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0))) {
          const before = versionsOf.get(listing.symbol) ?? symbols.versions.get(listing.symbol) ?? []
          const changed = changedDefinition(exchange, before.at(-1), listing)
          if (changed === undefined) continue
          const isNew = changed.id === 0
          if (isNew && ordinal > ORDINAL_MAX) throw new RegistryError(`${exchange.name} has no instrument numbers left`)
          const definition = isNew ? { ...changed, id: exchange.number * 0x100_0000 + ordinal++ } : changed
          versionsOf.set(listing.symbol, isNew ? [...before, definition] : [...before.slice(0, -1), definition])
        }
        for (const [symbol, versions] of versionsOf) {
          messages.push({ key: symbol, value: new TextEncoder().encode(JSON.stringify({ format: 1, versions })) })
        }
        if (messages.length > 0) await this.#options.store.append(exchange, messages)
        // Taken from the log, like everybody else's: what is used is what is stored.
        await this.#read(exchange)
      })
    })
    return checked.map((listing) => {
      const definition = this.find(exchangeName, listing.symbol)
      if (definition === undefined) throw new RegistryError(`${exchangeName} ${listing.symbol} was stored but not read back`)
      return definition
    })
  }

  #changed(exchange: Exchange, listing: CheckedListing): InstrumentDefinition | undefined {
    return changedDefinition(exchange, this.find(exchange.name, listing.symbol), listing)
  }

  #symbols(exchange: string): Symbols {
    let symbols = this.#exchanges.get(exchange)
    if (symbols === undefined) {
      symbols = { versions: new Map(), ordinalNext: 1 }
      this.#exchanges.set(exchange, symbols)
    }
    return symbols
  }

  #inOrder<T>(exchange: Exchange, work: (exchange: Exchange) => Promise<T>): Promise<T> {
    const done = (this.#tails.get(exchange.name) ?? Promise.resolve()).then(() => work(exchange))
    this.#tails.set(
      exchange.name,
      done.catch(() => undefined),
    )
    return done
  }

  async #read(exchange: Exchange): Promise<void> {
    for (const { key, value } of await this.#options.store.read(exchange)) {
      try {
        this.#take(exchange, key, value)
      } catch (error) {
        this.#options.onBadMessage?.(exchange.name, key, error instanceof Error ? error.message : String(error))
      }
    }
  }

  #take(exchange: Exchange, key: string, value: Uint8Array): void {
    const { versions } = messageSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value)))
    const symbols = this.#symbols(exchange.name)
    for (const definition of versions) {
      if (definition.exchange !== exchange.name || definition.symbol !== key || definition.id >>> 24 !== exchange.number) {
        throw new PoisonRecordError(
          `the definition of ${definition.symbol} (${definition.id}) stands under ${exchange.name} ${key}`,
        )
      }
      const known = this.#byId.get(definition.id)
      if (known !== undefined && !sameIdentity(known, definition)) {
        throw new PoisonRecordError(`instrument ${definition.id} is ${known.symbol} and would become ${definition.symbol}`)
      }
    }
    for (const definition of versions) {
      if (!this.#byId.has(definition.id)) {
        const { id, symbol, price_exponent: price, size_exponent: size } = definition
        if (this.#options.native?.add(id, symbol, price, size) === false) {
          throw new PoisonRecordError(`the native table refuses instrument ${id} ${symbol}`)
        }
      }
      this.#byId.set(definition.id, definition)
      symbols.ordinalNext = Math.max(symbols.ordinalNext, (definition.id & ORDINAL_MAX) + 1)
      for (const s of definition.sources) {
        if (s.venue_id !== '') this.#bySource.set(sourceKey(s.venue, s.segment, s.venue_id), definition)
      }
    }
    symbols.versions.set(key, versions)
  }
}

type CheckedListing = ReturnType<typeof listingSchema.parse>

const sameIdentity = (a: InstrumentDefinition, b: InstrumentDefinition): boolean =>
  a.symbol === b.symbol && a.price_exponent === b.price_exponent && a.size_exponent === b.size_exponent

/** The definition that must be stored for the listing; id 0 asks for a new one. Undefined: all of it is stored already. */
function changedDefinition(
  exchange: Exchange,
  known: InstrumentDefinition | undefined,
  listing: CheckedListing,
): InstrumentDefinition | undefined {
  const { symbol, price_exponent: price, size_exponent: size, sources, ...given } = listing
  const attributes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  if (known === undefined) {
    return {
      id: 0,
      exchange: exchange.name,
      symbol,
      asset_class: exchange.assetClass,
      price_exponent: price ?? exchange.priceExponent,
      size_exponent: size ?? exchange.sizeExponent,
      ...attributes,
      sources,
    }
  }
  const merged = [...known.sources]
  for (const source of sources) {
    const at = merged.findIndex((s) => s.venue === source.venue && s.segment === source.segment)
    if (at < 0) merged.push(source)
    else merged[at] = source
  }
  const next: InstrumentDefinition = { ...known, ...attributes, sources: merged }
  const isFiner = (price !== undefined && price < known.price_exponent) || (size !== undefined && size < known.size_exponent)
  if (isFiner) {
    return {
      ...next,
      id: 0,
      price_exponent: Math.min(price ?? known.price_exponent, known.price_exponent),
      size_exponent: Math.min(size ?? known.size_exponent, known.size_exponent),
      supersedes: known.id,
    }
  }
  return JSON.stringify(sorted(next)) === JSON.stringify(sorted(known)) ? undefined : next
}

const sorted = (value: object): unknown => Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
