/**
 * The ingestion service: live feeds of this instance's share of the symbols, and the batcher that writes their records to the log.
 * Reads sockets (src/adapters), writes trades, quotes, depth… topics. Decoding runs on the event loop, appending on the batcher's
 * thread; a log that does not take records fills the feed's ring, whose policy decides.
 */
import { createAdapter, type FeedPort, type LiveVenue, livePorts, liveVenues, type VenueAdapter } from '../adapters/index.js'
import { delay, type Timer } from '../core/clock.js'
import { ConfigError, EnvironmentError, ServiceError } from '../core/errors.js'
import type { Metrics } from '../core/metrics.js'
import { listingTexts } from '../ingestion/listings.js'
import { symbolsOfInstance } from '../model/shards.js'
import { createBatcher, createFeed, type FeedStats, frameKind, type NativeBatcher, type NativeFeed } from '../native/feed.js'
import { StreamServiceBuilder } from './builder.js'
import type { Component, ComponentContext, ComponentHealth } from './component.js'
import { FeedLocksComponent } from './feed-locks.js'
import { openFeedSession } from './feed-session.js'
import { ReplicatorComponent } from './replicator.js'
import { feedDataTypes, routeExchange } from './routes.js'
import type { Runtime } from './runtime.js'
import type { StreamService } from './service.js'
import type { FeedSettings, Settings } from './settings.js'

const CLOCK_TICK_MS = 50
/** Of that length each: a second. */
const SETTLE_TRIES = 20
const HOUSEKEEPING_MS = 60_000
const RING_WARN = 0.9

/** The batcher of this process; its feeds attach to it. */
class BatcherComponent implements Component {
  readonly name = 'batcher'
  readonly #runtime: Runtime
  #native: NativeBatcher | undefined

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  get native(): NativeBatcher {
    if (this.#native === undefined) throw new ServiceError('the batcher is not started')
    return this.#native
  }

  async start(): Promise<void> {
    const { settings, local, instruments } = this.#runtime
    const { batch_records_max: recordsMax, batch_age_max_us: ageMaxUs } = settings.ingestion
    this.#native = createBatcher({ log: local.native, instruments, recordsMax, ageMaxUs, origin: this.#runtime.clock.wallNs() })
    this.#native.start()
  }

  async stop(): Promise<void> {
    this.#native?.stop()
  }

  health(): ComponentHealth {
    const stats = this.#native?.stats()
    if (stats === undefined) return { status: 'degraded' }
    const { refusing, records, lost } = stats
    return { status: refusing === 'no' ? 'ok' : 'degraded', details: { refusing, records, lost } }
  }

  collect(metrics: Metrics): void {
    const stats = this.#native?.stats()
    if (stats === undefined) return
    const source = 'all'
    metrics.total('tickwire_batcher_records_total', { source }, stats.records)
    metrics.total('tickwire_batcher_batches_total', { source }, stats.batches)
    metrics.total('tickwire_batcher_refused_total', { source, status: 'busy' }, stats.busy)
    metrics.total('tickwire_batcher_refused_total', { source, status: 'disk_full' }, stats.diskFull)
  }
}

/** One live feed: its session, its instruments, its adapter. */
export class FeedComponent implements Component {
  readonly name: string
  readonly settings: FeedSettings
  readonly #runtime: Runtime
  readonly #batcher: BatcherComponent
  #feed: NativeFeed | undefined
  #adapter: VenueAdapter | undefined
  #timer: Timer | undefined
  #stats: FeedStats | undefined
  #epoch = 0
  /** Instruments up to this id stand in the recording. */
  #recordedId = 0

  constructor(runtime: Runtime, settings: FeedSettings, batcher: BatcherComponent) {
    this.name = `feed-${settings.exchange}-${settings.source}`
    this.settings = settings
    this.#runtime = runtime
    this.#batcher = batcher
  }

  /** Of its first session in this process; 0 before the start. */
  get epoch(): number {
    return this.#epoch
  }

  async start(context: ComponentContext): Promise<void> {
    const { settings } = this
    const runtime = this.#runtime
    const venue = settings.venue ?? settings.exchange
    const { instance_id: instance, total_instances: instances } = runtime.settings.ingestion
    const symbols = symbolsOfInstance(settings.symbols, instance, instances)
    const exchange = runtime.exchanges.get(settings.exchange)
    const dataTypes = feedDataTypes(settings)
    await routeExchange(runtime, this.#batcher.native, exchange, dataTypes)
    const epoch = await openFeedSession(runtime, { exchange: exchange.name, source: settings.source, shard: instance - 1 })
    this.#epoch = epoch
    const feed = createFeed({
      batcher: this.#batcher.native,
      venue,
      venueOptions: {
        depthLevels: settings.depth_levels,
        bookLevels: settings.book_levels,
        trades: settings.channels.includes('trades'),
        quotes: settings.channels.includes('quotes'),
        bars: settings.channels.includes('bars'),
      },
      exchange: exchange.number,
      source: settings.source,
      shard: instance - 1,
      epoch,
      policy: settings.policy,
      ringSlots: settings.ring_slots,
      dataTypes,
      live: true,
    })
    this.#feed = feed
    if (settings.record_to !== undefined) recordTo(feed, settings.record_to)
    const ports = livePorts((event, details) => context.logger.info(details, event))
    const channels =
      settings.depth_levels > 0 || settings.book_levels
        ? [...new Set([...settings.channels, 'book' as const])]
        : settings.channels
    this.#adapter = createAdapter(
      venue as LiveVenue,
      {
        symbols,
        channels,
        ...(settings.stream_url === undefined ? {} : { streamUrl: settings.stream_url }),
        ...(settings.rest_url === undefined ? {} : { restUrl: settings.rest_url }),
      },
      { ...ports, clock: context.clock, random: context.random },
    )
    if (symbols.length > 0) await this.#list(symbols)
    await this.#adapter.start(this.#port(feed, context))
    this.#tick(context)
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    await this.#adapter?.stop()
    const feed = this.#feed
    if (feed === undefined) return
    await this.#settle(feed)
    this.#stats = feed.stats()
    feed.stopRecording()
    feed.stop()
    this.#feed = undefined
  }

  /** What a full ring refused or still holds back follows once the batcher has made room, unless the log takes nothing. */
  async #settle(feed: NativeFeed): Promise<void> {
    for (let tries = 0; tries < SETTLE_TRIES; tries++) {
      feed.tick()
      const { depth, capacity } = feed.stats().ring
      // With this much room nothing was held back by the tick.
      if (depth < capacity / 2) return
      await delay(this.#runtime.clock, CLOCK_TICK_MS)
    }
  }

  /** Symbols added while running. */
  async subscribe(symbols: readonly string[]): Promise<void> {
    await this.#list(symbols)
    await this.#adapter?.subscribe(symbols)
  }

  async unsubscribe(symbols: readonly string[]): Promise<void> {
    await this.#adapter?.unsubscribe(symbols)
  }

  stats(): FeedStats | undefined {
    return this.#feed?.stats() ?? this.#stats
  }

  health(): ComponentHealth {
    const adapter = this.#adapter?.stats()
    const stats = this.#feed?.stats()
    if (adapter === undefined || stats === undefined) return { status: 'degraded' }
    const isFull = stats.ring.depth > stats.ring.capacity * RING_WARN
    return {
      status: adapter.state === 'open' && !isFull ? 'ok' : 'degraded',
      details: {
        ...adapter,
        records: stats.records,
        gaps: stats.gaps,
        refused: stats.refused,
        books: stats.books,
        unknown: stats.unknown,
      },
    }
  }

  collect(metrics: Metrics): void {
    const stats = this.#feed?.stats()
    const adapter = this.#adapter?.stats()
    if (stats === undefined || adapter === undefined) return
    const source = `${this.settings.exchange}-${this.settings.source}`
    metrics.total('ingestion_count_total', { source }, stats.records)
    metrics.total('tickwire_feed_frames_total', { source }, stats.frames)
    metrics.total('tickwire_feed_gaps_total', { source }, stats.gaps)
    metrics.total('tickwire_feed_refused_total', { source }, stats.refused)
    metrics.total('tickwire_feed_connections_total', { source }, adapter.connects)
    metrics.total('tickwire_feed_disconnects_total', { source }, adapter.disconnects)
    metrics.set('tickwire_feed_connected', { source }, adapter.state === 'open' ? 1 : 0)
    for (const [reason, count] of Object.entries(stats.reasons))
      metrics.total('ingestion_errors_total', { source, reason }, count)
  }

  #port(feed: NativeFeed, context: ComponentContext): FeedPort {
    const runtime = this.#runtime
    const { exchange, source } = this.settings
    const shard = runtime.settings.ingestion.instance_id - 1
    return {
      push: (frame, isText) => feed.push(frame, isText ? frameKind.text : frameKind.binary),
      pushRest: (url, body) => feed.pushRest(url, body),
      takeRequests: () => feed.takeRequests(),
      reopen: async () => {
        try {
          feed.reconnect(await openFeedSession(runtime, { exchange, source, shard }))
        } catch (error) {
          context.fail(error as Error)
        }
      },
    }
  }

  async #list(symbols: readonly string[]): Promise<void> {
    const adapter = this.#adapter
    const feed = this.#feed
    if (adapter === undefined || feed === undefined) throw new ServiceError(`${this.name} is not started`)
    const venue = this.settings.venue ?? this.settings.exchange
    const listed = await adapter.list(symbols)
    const definitions = await this.#runtime.registry.list(
      this.settings.exchange,
      listed.map((instrument) => ({
        symbol: instrument.symbol,
        price_exponent: instrument.priceExponent,
        size_exponent: instrument.sizeExponent,
        tick_size: instrument.tickSize,
        lot_size: instrument.lotSize,
        sources: [{ venue, venue_symbol: instrument.venueSymbol }],
      })),
    )
    this.#recordListings(feed)
    for (const [i, definition] of definitions.entries()) {
      const { venueSymbol } = listed[i] as (typeof listed)[number]
      if (!feed.addInstrument(definition.id, venueSymbol, 0))
        throw new ServiceError(`${this.name}: ${venueSymbol} is not in the instrument table`)
    }
  }

  /** Into the recording, every instrument of the exchange that it does not list yet: a replay elsewhere gives the same ids. */
  #recordListings(feed: NativeFeed): void {
    const { record_to: recording, exchange } = this.settings
    if (recording === undefined) return
    const fresh = this.#runtime.registry.all(exchange).filter(({ id }) => id > this.#recordedId)
    for (const text of listingTexts(exchange, fresh)) feed.recordListing(text)
    this.#recordedId = fresh.reduce((newest, { id }) => Math.max(newest, id), this.#recordedId)
  }

  /** Clocks go on while the venue is silent. */
  #tick(context: ComponentContext): void {
    this.#timer = context.clock.setTimer(() => {
      this.#feed?.tick()
      this.#tick(context)
    }, CLOCK_TICK_MS)
  }
}

function recordTo(feed: NativeFeed, file: string): void {
  try {
    feed.recordTo(file)
  } catch (error) {
    throw new EnvironmentError(`the recording cannot be written: ${(error as Error).message}`, {
      field: 'record_to',
      fix: 'give a file in a directory this user may write',
      cause: error,
    })
  }
}

/** Retention and compaction of the log, by whoever ingests. */
class HousekeepingComponent implements Component {
  readonly name = 'housekeeping'
  readonly #runtime: Runtime
  #timer: Timer | undefined

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  async start(context: ComponentContext): Promise<void> {
    const next = () => {
      this.#timer = context.clock.setTimer(async () => {
        try {
          await this.#runtime.local.keepHouse()
        } catch (error) {
          context.logger.warn({ error }, 'housekeeping failed, will be tried again')
        }
        if (this.#timer !== undefined) next()
      }, HOUSEKEEPING_MS)
    }
    next()
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}

export interface Ingestion {
  readonly service: StreamService<Settings['ingestion']>
  readonly feeds: readonly FeedComponent[]
  /** With Kafka. */
  readonly replicator: ReplicatorComponent | undefined
  batcherStats(): ReturnType<NativeBatcher['stats']>
}

/** What is wrong whenever it is tried. */
export function checkFeeds(feeds: readonly FeedSettings[]): void {
  if (feeds.length === 0) {
    throw new ConfigError('ingestion has no feeds', {
      field: 'ingestion.feeds',
      fix: 'give `--venue binance --symbols BTCUSDT`, or list feeds in the configuration file',
    })
  }
  for (const { exchange, venue = exchange } of feeds) {
    if (liveVenues.includes(venue as LiveVenue)) continue
    throw new ConfigError(`there is no live adapter for ${JSON.stringify(venue)}; valid: ${liveVenues.join(', ')}`, {
      field: 'ingestion.feeds.venue',
      validValues: [...liveVenues],
      fix: 'use one of them; frames of other venues can be replayed',
    })
  }
}

export function createIngestion(runtime: Runtime): Ingestion {
  const { feeds: settings } = runtime.settings.ingestion
  checkFeeds(settings)
  const batcher = new BatcherComponent(runtime)
  const feeds = settings.map((feed) => new FeedComponent(runtime, feed, batcher))
  const builder = new StreamServiceBuilder('ingestion', runtime.settings.ingestion, runtime).withMetrics().withErrorHandling()
  const shard = runtime.settings.ingestion.instance_id - 1
  const locks = new FeedLocksComponent(
    runtime.directory,
    settings.map(({ exchange, source }) => ({ exchange, source, shard })),
  )
  builder.addNative(locks).addNative(new HousekeepingComponent(runtime))
  // Before the batcher, so that it stops after it: what the rings still held is on the cluster when the service has stopped.
  const replicator = runtime.settings.kafka.brokers === undefined ? undefined : new ReplicatorComponent(runtime)
  if (replicator !== undefined) builder.addNative(replicator)
  builder.addNative(batcher)
  for (const feed of feeds) builder.addNative(feed)
  return { service: builder.build(), feeds, replicator, batcherStats: () => batcher.native.stats() }
}
