/**
 * Binance, the facts of its sockets. One combined connection: at most 1,024 streams, 5 control messages a second, pings from
 * the venue every 20 s (answered by the library), closed after 24 h. A planned rotation opens the next connection before that and
 * overlaps the two, so nothing is missed and no epoch begins; what both deliver is dropped by the feed's own sequences.
 * Source: developers.binance.com, "WebSocket Streams", sections "General information" and "Websocket limits".
 */
import type { Timer } from '../../core/clock.js'
import { ConfigError } from '../../core/errors.js'
import type {
  AdapterOptions,
  AdapterPorts,
  AdapterStats,
  ConnectionState,
  FeedPort,
  ListedInstrument,
  SocketLike,
  VenueAdapter,
} from '../types.js'
import { type BinanceMarket, readExchangeInfo, streamsOf } from './meaning.js'

export interface BinanceAdapterOptions extends AdapterOptions {
  readonly market: BinanceMarket
  readonly rotateAfterMs?: number
  /** A connection without any frame or ping for this long is taken as dead. */
  readonly silenceMaxMs?: number
  readonly backoffMinMs?: number
  readonly backoffMaxMs?: number
}

const STREAMS_MAX = 1024
const PARAMS_PER_MESSAGE = 100
const CONTROL_EVERY_MS = 250 // 4 a second, under the venue's 5.
const OVERLAP_MS = 1000
const SNAPSHOT_EVERY_MS = 300 // A depth snapshot of 1,000 levels weighs 50 of 6,000 a minute.
const HOUR_MS = 3_600_000

interface Connection {
  readonly socket: SocketLike
  lastFrameMs: number
  isOpen: boolean
  openedMs: number
}

export class BinanceAdapter implements VenueAdapter {
  readonly #options: Required<BinanceAdapterOptions>
  readonly #ports: AdapterPorts
  readonly #symbols: Set<string>
  readonly #control: { method: 'SUBSCRIBE' | 'UNSUBSCRIBE'; params: string[] }[] = []
  readonly #snapshots: string[] = []
  #port: FeedPort | undefined
  #connection: Connection | undefined
  #next: Connection | undefined
  #timers = new Map<string, Timer>()
  #controlId = 0
  #controlSentMs = Number.NEGATIVE_INFINITY
  #failures = 0
  #state: ConnectionState = 'closed'
  #stats = { connects: 0, disconnects: 0, rotations: 0, frames: 0 }

  constructor(options: BinanceAdapterOptions, ports: AdapterPorts) {
    this.#options = {
      rotateAfterMs: 23 * HOUR_MS,
      silenceMaxMs: 60_000,
      backoffMinMs: 250,
      backoffMaxMs: 30_000,
      ...options,
    }
    this.#ports = ports
    this.#symbols = new Set(options.symbols)
    this.#checkStreams(this.#symbols.size)
  }

  async list(symbols: readonly string[]): Promise<readonly ListedInstrument[]> {
    const { restUrl, restPath, exchange } = this.#options.market
    const query = exchange === 'binance' ? `?symbols=${encodeURIComponent(JSON.stringify(symbols))}` : ''
    const answer = await this.#ports.fetch(`${restUrl}${restPath}/exchangeInfo${query}`)
    const body = new TextDecoder().decode(answer.body)
    // The venue refuses the whole question for one symbol it does not know.
    if (answer.status === 400) {
      throw new ConfigError(`${exchange} does not list all of ${symbols.join(', ')}: ${body.slice(0, 200)}`, {
        field: 'symbols',
        fix: 'name symbols as the exchange does, such as BTCUSDT',
      })
    }
    if (answer.status !== 200) throw new Error(`${exchange}: exchangeInfo answered ${answer.status}: ${body.slice(0, 200)}`)
    const listed = readExchangeInfo(body).filter((instrument) => symbols.includes(instrument.symbol))
    const missing = symbols.filter((symbol) => !listed.some((instrument) => instrument.symbol === symbol))
    if (missing.length > 0) {
      throw new ConfigError(`${exchange} does not list ${missing.join(', ')}`, {
        field: 'symbols',
        fix: 'name symbols as the exchange does, such as BTCUSDT',
      })
    }
    return listed
  }

  async start(port: FeedPort): Promise<void> {
    this.#port = port
    await this.#connect()
    this.#every('silence', 1000, () => this.#checkSilence())
    this.#every('requests', SNAPSHOT_EVERY_MS, () => this.#serveRequests())
    this.#every('control', CONTROL_EVERY_MS, () => this.#sendControl())
  }

  async stop(): Promise<void> {
    this.#state = 'closed'
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    const open = [this.#connection, this.#next]
    this.#connection = undefined
    this.#next = undefined
    // What a closing socket or a snapshot under way still delivers comes after the feed's end.
    this.#port = undefined
    for (const connection of open) connection?.socket.close()
  }

  async subscribe(symbols: readonly string[]): Promise<void> {
    const added = symbols.filter((symbol) => !this.#symbols.has(symbol))
    this.#checkStreams(this.#symbols.size + added.length)
    for (const symbol of added) this.#symbols.add(symbol)
    this.#queueControl('SUBSCRIBE', added)
  }

  async unsubscribe(symbols: readonly string[]): Promise<void> {
    const removed = symbols.filter((symbol) => this.#symbols.delete(symbol))
    this.#queueControl('UNSUBSCRIBE', removed)
  }

  stats(): AdapterStats {
    return { ...this.#stats, state: this.#state, lastFrameMs: this.#connection?.lastFrameMs ?? 0, subscribed: [...this.#symbols] }
  }

  #isStopped(): boolean {
    return this.#state === 'closed'
  }

  #checkStreams(symbols: number): void {
    const streams = symbols * streamsOf('x', this.#options.channels).length
    if (streams > STREAMS_MAX) {
      throw new Error(
        `${streams} streams are asked of one connection, the venue allows ${STREAMS_MAX}: split the symbols over shards`,
      )
    }
  }

  #after(name: string, delayMs: number, callback: () => void): void {
    this.#timers.get(name)?.cancel()
    this.#timers.set(name, this.#ports.clock.setTimer(callback, delayMs))
  }

  #every(name: string, periodMs: number, callback: () => void): void {
    this.#after(name, periodMs, () => {
      if (this.#state === 'closed') return
      callback()
      this.#every(name, periodMs, callback)
    })
  }

  #open(): Connection {
    const streams = [...this.#symbols].flatMap((symbol) => streamsOf(symbol, this.#options.channels))
    // The path holds a first share; the rest follows as SUBSCRIBE messages, since proxies cut long URLs.
    const first = streams.slice(0, PARAMS_PER_MESSAGE)
    const socket = this.#ports.connect(`${this.#options.market.streamUrl}/stream?streams=${first.join('/')}`)
    const connection: Connection = { socket, lastFrameMs: this.#ports.clock.monotonicMs(), isOpen: false, openedMs: 0 }
    socket.onMessage((frame, isText) => {
      connection.lastFrameMs = this.#ports.clock.monotonicMs()
      this.#stats.frames += 1
      this.#port?.push(frame, isText)
    })
    socket.onPing(() => {
      connection.lastFrameMs = this.#ports.clock.monotonicMs()
    })
    socket.onOpen(() => {
      connection.isOpen = true
      connection.openedMs = this.#ports.clock.monotonicMs()
      this.#queueStreams('SUBSCRIBE', streams.slice(PARAMS_PER_MESSAGE))
    })
    return connection
  }

  async #connect(): Promise<void> {
    this.#state = 'connecting'
    if (this.#stats.connects > 0) await this.#port?.reopen()
    if (this.#isStopped()) return
    const connection = this.#open()
    this.#connection = connection
    this.#stats.connects += 1
    connection.socket.onOpen(() => {
      if (this.#connection !== connection) return
      this.#state = 'open'
      this.#ports.log('connected', { exchange: this.#options.market.exchange, symbols: this.#symbols.size })
      this.#after('rotate', this.#options.rotateAfterMs, () => this.#rotate())
    })
    connection.socket.onClose((code, reason) => this.#lost(connection, code, reason))
  }

  #lost(connection: Connection, code: number, reason: string): void {
    if (this.#next === connection) {
      // The rotation's new leg failed; the old one still carries the feed. Try again soon.
      this.#next = undefined
      this.#after('rotate', 10_000, () => this.#rotate())
      return
    }
    if (this.#connection !== connection || this.#state === 'closed') return
    this.#stats.disconnects += 1
    if (this.#next?.isOpen === true) {
      this.#promote(this.#next)
      return
    }
    this.#connection = undefined
    // A rotation's leg that is not open yet would come up beside the connection that replaces both.
    const pending = this.#next
    this.#next = undefined
    pending?.socket.close()
    this.#state = 'waiting'
    const { backoffMinMs, backoffMaxMs } = this.#options
    // Only a connection that held begins the back-off anew: a venue that accepts and closes at once bans who keeps coming.
    if (connection.isOpen && this.#ports.clock.monotonicMs() - connection.openedMs >= backoffMaxMs) this.#failures = 0
    const ceiling = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#failures, 16))
    this.#failures += 1
    const delayMs = ceiling * (0.5 + this.#ports.random() / 2)
    this.#ports.log('disconnected', { exchange: this.#options.market.exchange, code, reason, retryInMs: Math.round(delayMs) })
    this.#after('connect', delayMs, () => void this.#connect())
  }

  /** Make before break: the new connection is open and subscribed before the old one closes. */
  #rotate(): void {
    if (this.#state !== 'open' || this.#next !== undefined) return
    const next = this.#open()
    this.#next = next
    next.socket.onClose((code, reason) => this.#lost(next, code, reason))
    const takeOver = () => {
      if (this.#next !== next) return
      // The new leg hears everything when its last SUBSCRIBE has gone out and was answered.
      const quietMs = this.#ports.clock.monotonicMs() - this.#controlSentMs
      if (this.#control.length === 0 && quietMs >= OVERLAP_MS) this.#promote(next)
      else this.#after('overlap', OVERLAP_MS, takeOver)
    }
    next.socket.onOpen(() => this.#after('overlap', OVERLAP_MS, takeOver))
  }

  #promote(next: Connection): void {
    const old = this.#connection
    this.#connection = next
    this.#next = undefined
    this.#state = 'open'
    this.#stats.rotations += 1
    old?.socket.close()
    this.#after('rotate', this.#options.rotateAfterMs, () => this.#rotate())
  }

  #checkSilence(): void {
    const connection = this.#connection
    if (connection === undefined) return
    const silentMs = this.#ports.clock.monotonicMs() - connection.lastFrameMs
    if (silentMs < this.#options.silenceMaxMs) return
    this.#ports.log('silent', { exchange: this.#options.market.exchange, silentMs: Math.round(silentMs) })
    connection.socket.terminate()
    this.#lost(connection, 1006, 'silent')
  }

  #queueControl(method: 'SUBSCRIBE' | 'UNSUBSCRIBE', symbols: readonly string[]): void {
    this.#queueStreams(
      method,
      symbols.flatMap((symbol) => streamsOf(symbol, this.#options.channels)),
    )
  }

  #queueStreams(method: 'SUBSCRIBE' | 'UNSUBSCRIBE', streams: readonly string[]): void {
    for (let at = 0; at < streams.length; at += PARAMS_PER_MESSAGE) {
      this.#control.push({ method, params: streams.slice(at, at + PARAMS_PER_MESSAGE) })
    }
  }

  #sendControl(): void {
    if (this.#connection?.isOpen !== true) return
    const message = this.#control.shift()
    if (message === undefined) return
    this.#controlId += 1
    this.#controlSentMs = this.#ports.clock.monotonicMs()
    const text = JSON.stringify({ ...message, id: this.#controlId })
    this.#connection.socket.send(text)
    if (this.#next?.isOpen === true) this.#next.socket.send(text)
  }

  #serveRequests(): void {
    for (const request of this.#port?.takeRequests() ?? []) {
      if (request.kind === 'resubscribe') this.#queueControl('SUBSCRIBE', [request.venueSymbol])
      else if (!this.#snapshots.includes(request.venueSymbol)) this.#snapshots.push(request.venueSymbol)
    }
    const symbol = this.#snapshots.shift()
    if (symbol === undefined || this.#state !== 'open') return
    const { restUrl, restPath, depthLimit, exchange } = this.#options.market
    const url = `${restUrl}${restPath}/depth?symbol=${symbol}&limit=${depthLimit}`
    this.#ports.fetch(url).then(
      (answer) => {
        if (answer.status === 200) this.#port?.pushRest(url, answer.body)
        else this.#snapshotFailed(symbol, `status ${answer.status}`)
      },
      (error: unknown) => this.#snapshotFailed(symbol, error instanceof Error ? error.message : String(error)),
    )
    this.#ports.log('snapshot', { exchange, symbol })
  }

  #snapshotFailed(symbol: string, reason: string): void {
    this.#ports.log('snapshot failed', { exchange: this.#options.market.exchange, symbol, reason })
    if (this.#state !== 'closed' && !this.#snapshots.includes(symbol)) this.#snapshots.push(symbol)
  }
}
