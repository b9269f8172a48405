/**
 * What an adapter is given and what it must be: sockets and subscriptions of one venue, nothing about records.
 */
import type { Clock } from '../core/clock.js'

/** Where frames go: the native feed of one (exchange, source, shard). Calls are synchronous and cheap. */
export interface FeedPort {
  /** One WebSocket message as received. */
  push(frame: Uint8Array, isText: boolean): void
  /** The body of a REST answer. */
  pushRest(url: string, body: Uint8Array): void
  /** The connection was lost. Awaited before the next one is opened: its frames belong to a new epoch, which must stand in the log. */
  reopen(): Promise<void>
  /** What the feed wants done (a book's snapshot); emptied by the call. */
  takeRequests(): readonly FeedRequest[]
}

export interface FeedRequest {
  readonly kind: 'snapshot' | 'resubscribe'
  readonly venueSymbol: string
}

/** An instrument as the venue lists it: what the registry needs to give it an id. */
export interface ListedInstrument {
  readonly symbol: string
  readonly venueSymbol: string
  /** Decimal exponents, two digits finer than the venue's tick where int64 allows: value = integer × 10^exponent. */
  readonly priceExponent: number
  readonly sizeExponent: number
  readonly tickSize: string
  readonly lotSize: string
}

export interface AdapterOptions {
  readonly symbols: readonly string[]
  /** Which of the venue's channels to subscribe. */
  readonly channels: readonly ('trades' | 'quotes' | 'book' | 'bars')[]
}

export interface SocketLike {
  send(text: string): void
  close(): void
  /** Cuts the connection without waiting for the other side. */
  terminate(): void
  onOpen(handler: () => void): void
  onMessage(handler: (frame: Uint8Array, isText: boolean) => void): void
  onPing(handler: () => void): void
  onClose(handler: (code: number, reason: string) => void): void
}

/** The outside world of an adapter; tests pass their own. */
export interface AdapterPorts {
  readonly clock: Clock
  readonly random: () => number
  connect(url: string): SocketLike
  /** GET; resolves with status and body, rejects when there is no answer. */
  fetch(url: string): Promise<{ status: number; body: Uint8Array }>
  readonly log: (event: string, details: Readonly<Record<string, unknown>>) => void
}

export type ConnectionState = 'connecting' | 'open' | 'waiting' | 'closed'

export interface AdapterStats {
  readonly state: ConnectionState
  readonly connects: number
  readonly disconnects: number
  readonly rotations: number
  readonly frames: number
  readonly lastFrameMs: number
  readonly subscribed: readonly string[]
}

export interface VenueAdapter {
  /** Instruments of the symbols asked for, from the venue's own master. Rejects when a symbol is not listed. */
  list(symbols: readonly string[]): Promise<readonly ListedInstrument[]>
  start(port: FeedPort): Promise<void>
  stop(): Promise<void>
  subscribe(symbols: readonly string[]): Promise<void>
  unsubscribe(symbols: readonly string[]): Promise<void>
  stats(): AdapterStats
}
