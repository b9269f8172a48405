/**
 * A simulated Binance spot venue: real HTTP and WebSocket on a loopback port, the venue's own messages, a seeded market.
 * Follows developers.binance.com "Web Socket Streams" and "Market Data endpoints": /ws, /stream?streams=, SUBSCRIBE and
 * UNSUBSCRIBE with ids, ping frames, depth snapshots, exchangeInfo. Faults are methods. When a client does not read, its
 * socket buffers; above 8 MiB it is cut off, as the venue does.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { defaultSymbols, type MarketTrade, SymbolMarket, type SymbolSpec, spell } from './market.js'

export interface SimulatedBinanceOptions {
  readonly seed?: number
  readonly symbols?: readonly SymbolSpec[]
  /** Market events per second over all symbols; about two in five are trades. */
  readonly eventsPerSecond?: number
  readonly port?: number
  /** Milliseconds since 1970; the venue's clock. */
  readonly nowMs?: () => number
  readonly pingIntervalMs?: number
}

export interface Produced {
  trades: number
  quotes: number
  depthUpdates: number
  klines: number
}

interface Client {
  readonly socket: WebSocket
  readonly streams: Set<string>
  readonly combined: boolean
}

const BUFFER_MAX = 8 * 1024 * 1024
const STEP_MS = 5
const DEPTH_EVERY_MS = 100
const PADDED = 8 // The venue spells prices and quantities of spot with eight digits.

export class SimulatedBinance {
  readonly markets: readonly SymbolMarket[]
  /** Messages made for streams that at least one client had subscribed, by kind. */
  readonly produced: Produced = { trades: 0, quotes: 0, depthUpdates: 0, klines: 0 }
  readonly tradesBySymbol = new Map<string, number>()
  readonly #options: Required<SimulatedBinanceOptions>
  readonly #clients = new Set<Client>()
  readonly #lastQuote = new Map<string, string>()
  readonly #depthFrom = new Map<string, number>()
  #server: Server | undefined
  #sockets: WebSocketServer | undefined
  #timers: NodeJS.Timeout[] = []
  #owed = 0
  #lastStepMs = 0
  #paused = false
  #dropDepth = new Set<string>()
  #skipTrade = new Set<string>()

  constructor(options: SimulatedBinanceOptions = {}) {
    this.#options = {
      seed: options.seed ?? 1,
      symbols: options.symbols ?? defaultSymbols,
      eventsPerSecond: options.eventsPerSecond ?? 2000,
      port: options.port ?? 0,
      nowMs: options.nowMs ?? Date.now,
      pingIntervalMs: options.pingIntervalMs ?? 20_000,
    }
    this.markets = this.#options.symbols.map((spec, i) => new SymbolMarket(spec, this.#options.seed * 7919 + i))
    for (const market of this.markets) {
      market.takeChanges()
      this.#depthFrom.set(market.spec.symbol, market.updateId + 1)
    }
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | null | undefined
    if (address === null || address === undefined) throw new Error('the venue is not started')
    return address.port
  }
  get restUrl(): string {
    return `http://127.0.0.1:${this.port}`
  }
  get streamUrl(): string {
    return `ws://127.0.0.1:${this.port}`
  }
  get clientCount(): number {
    return this.#clients.size
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response))
    this.#server = server
    this.#sockets = new WebSocketServer({ server, maxPayload: 64 * 1024 })
    this.#sockets.on('connection', (socket, request) => this.#accept(socket, request))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#options.port, '127.0.0.1', resolve)
    })
    this.#lastStepMs = this.#options.nowMs()
    this.#timers = [
      setInterval(() => this.#step(), STEP_MS),
      setInterval(() => this.#depth(), DEPTH_EVERY_MS),
      setInterval(() => {
        for (const client of this.#clients) client.socket.ping(String(this.#options.nowMs()))
      }, this.#options.pingIntervalMs),
    ]
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    for (const client of this.#clients) client.socket.terminate()
    this.#clients.clear()
    this.#sockets?.close()
    const server = this.#server
    if (server !== undefined) {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }

  /** The market stands still until resume; connections stay. */
  pause(): void {
    this.#paused = true
  }
  resume(): void {
    this.#paused = false
    this.#lastStepMs = this.#options.nowMs()
  }
  /** Fault: the next depth update of the symbol is made but not sent. */
  loseNextDepth(symbol: string): void {
    this.#dropDepth.add(symbol)
  }
  /** Fault: the next trade of the symbol is made but not sent: its id is missing. */
  loseNextTrade(symbol: string): void {
    this.#skipTrade.add(symbol)
  }
  /** Fault: every connection is cut without a close frame. */
  cutConnections(): void {
    for (const client of this.#clients) client.socket.terminate()
  }
  /** Fault: bytes that are not a message of this venue, to every client. */
  sendGarbage(bytes: string | Uint8Array): void {
    for (const client of this.#clients) client.socket.send(bytes)
  }
  /** A burst of trades of one symbol in one go. */
  burst(symbol: string, trades: number): void {
    const market = this.#marketOf(symbol)
    if (market === undefined) return
    for (let i = 0; i < trades; i++) this.#publishTrade(market.tradeNow(this.#options.nowMs()))
    this.#publishQuote(market)
  }

  #marketOf(symbol: string): SymbolMarket | undefined {
    return this.markets.find((market) => market.spec.symbol === symbol)
  }

  #step(): void {
    if (this.#paused) return
    const now = this.#options.nowMs()
    this.#owed += ((now - this.#lastStepMs) / 1000) * this.#options.eventsPerSecond
    this.#lastStepMs = now
    // A machine that slept does not get the whole backlog at once.
    this.#owed = Math.min(this.#owed, this.#options.eventsPerSecond)
    while (this.#owed >= 1) {
      this.#owed -= 1
      const market = this.markets[Math.floor(this.#owed * 7919) % this.markets.length] as SymbolMarket
      const trade = market.step(now)
      if (trade !== undefined) this.#publishTrade(trade)
      this.#publishQuote(market)
    }
  }

  #publishTrade(trade: MarketTrade): void {
    const { symbol } = trade.symbol
    const stream = `${symbol.toLowerCase()}@trade`
    if (this.#skipTrade.delete(symbol)) return
    const data =
      `{"e":"trade","E":${trade.timeMs},"s":"${symbol}","t":${trade.id},"p":"${this.#price(trade.symbol, trade.priceTicks)}",` +
      `"q":"${this.#size(trade.symbol, trade.size)}","T":${trade.timeMs},"m":${trade.buyerIsMaker},"M":true}`
    if (!this.#send(stream, data)) return
    this.produced.trades += 1
    this.tradesBySymbol.set(symbol, (this.tradesBySymbol.get(symbol) ?? 0) + 1)
  }

  #publishQuote(market: SymbolMarket): void {
    const { spec } = market
    const bid = market.bestBid
    const ask = market.bestAsk
    const body =
      `"s":"${spec.symbol}","b":"${this.#price(spec, bid.priceTicks)}","B":"${this.#size(spec, bid.size)}",` +
      `"a":"${this.#price(spec, ask.priceTicks)}","A":"${this.#size(spec, ask.size)}"`
    if (this.#lastQuote.get(spec.symbol) === body) return
    this.#lastQuote.set(spec.symbol, body)
    if (this.#send(`${spec.symbol.toLowerCase()}@bookTicker`, `{"u":${market.updateId},${body}}`)) this.produced.quotes += 1
  }

  #depth(): void {
    if (this.#paused) return
    for (const market of this.markets) {
      const { spec } = market
      const from = this.#depthFrom.get(spec.symbol) as number
      if (market.updateId < from) continue
      this.#depthFrom.set(spec.symbol, market.updateId + 1)
      const changes = market.takeChanges()
      const side = (levels: { priceTicks: number; size: number }[]) =>
        levels.map((level) => `["${this.#price(spec, level.priceTicks)}","${this.#size(spec, level.size)}"]`).join(',')
      const data =
        `{"e":"depthUpdate","E":${this.#options.nowMs()},"s":"${spec.symbol}","U":${from},"u":${market.updateId},` +
        `"b":[${side(changes.bids)}],"a":[${side(changes.asks)}]}`
      if (this.#dropDepth.delete(spec.symbol)) continue
      if (this.#send(`${spec.symbol.toLowerCase()}@depth@100ms`, data)) this.produced.depthUpdates += 1
    }
  }

  #price(spec: SymbolSpec, ticks: number): string {
    return spell(ticks, spec.priceDigits, PADDED)
  }
  #size(spec: SymbolSpec, steps: number): string {
    return spell(steps, spec.sizeDigits, PADDED)
  }

  /** True when at least one client had the stream. */
  #send(stream: string, data: string): boolean {
    let sent = false
    for (const client of this.#clients) {
      if (!client.streams.has(stream) || client.socket.readyState !== client.socket.OPEN) continue
      if (client.socket.bufferedAmount > BUFFER_MAX) {
        client.socket.terminate()
        continue
      }
      client.socket.send(client.combined ? `{"stream":"${stream}","data":${data}}` : data)
      sent = true
    }
    return sent
  }

  #accept(socket: WebSocket, request: IncomingMessage): void {
    const url = new URL(request.url ?? '/', 'http://venue')
    const combined = url.pathname === '/stream'
    const named = combined ? (url.searchParams.get('streams') ?? '') : url.pathname.replace(/^\/ws\/?/, '')
    if (!combined && !url.pathname.startsWith('/ws')) return socket.close(1008, 'unknown path')
    const client: Client = { socket, streams: new Set(named.split('/').filter((name) => name !== '')), combined }
    this.#clients.add(client)
    socket.on('close', () => this.#clients.delete(client))
    socket.on('error', () => socket.terminate())
    socket.on('message', (bytes) => socket.send(this.#control(client, String(bytes))))
  }

  #control(client: Client, text: string): string {
    let message: { method?: unknown; params?: unknown; id?: unknown }
    try {
      message = JSON.parse(text) as typeof message
    } catch {
      return '{"error":{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}}'
    }
    const id = typeof message.id === 'number' || typeof message.id === 'string' ? JSON.stringify(message.id) : 'null'
    const params = Array.isArray(message.params) ? message.params.filter((name): name is string => typeof name === 'string') : []
    switch (message.method) {
      case 'SUBSCRIBE':
        for (const name of params) client.streams.add(name)
        return `{"result":null,"id":${id}}`
      case 'UNSUBSCRIBE':
        for (const name of params) client.streams.delete(name)
        return `{"result":null,"id":${id}}`
      case 'LIST_SUBSCRIPTIONS':
        return `{"result":${JSON.stringify([...client.streams])},"id":${id}}`
      default:
        return `{"error":{"code":2,"msg":"Invalid request: unknown variant"},"id":${id}}`
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://venue')
    const reply = (status: number, body: string) => {
      response.writeHead(status, { 'content-type': 'application/json;charset=UTF-8' })
      response.end(body)
    }
    if (url.pathname === '/api/v3/ping') return reply(200, '{}')
    if (url.pathname === '/api/v3/time') return reply(200, `{"serverTime":${this.#options.nowMs()}}`)
    if (url.pathname === '/api/v3/exchangeInfo') return reply(200, this.#exchangeInfo(url.searchParams.get('symbols')))
    if (url.pathname === '/api/v3/depth') {
      const market = this.#marketOf(url.searchParams.get('symbol') ?? '')
      if (market === undefined) return reply(400, '{"code":-1121,"msg":"Invalid symbol."}')
      const limit = Math.min(Number(url.searchParams.get('limit') ?? 100) || 100, 5000)
      const side = (name: 'bids' | 'asks') =>
        market
          .levels(name, limit)
          .map((level) => [this.#price(market.spec, level.priceTicks), this.#size(market.spec, level.size)])
      return reply(200, JSON.stringify({ lastUpdateId: market.updateId, bids: side('bids'), asks: side('asks') }))
    }
    return reply(404, '{"code":-1000,"msg":"not found"}')
  }

  #exchangeInfo(symbols: string | null): string {
    let wanted: string[] | undefined
    try {
      wanted = symbols === null ? undefined : (JSON.parse(symbols) as string[])
    } catch {
      return '{"code":-1100,"msg":"Illegal characters found in parameter \'symbols\'."}'
    }
    const listed = this.markets.filter((market) => wanted === undefined || wanted.includes(market.spec.symbol))
    return JSON.stringify({
      timezone: 'UTC',
      serverTime: this.#options.nowMs(),
      rateLimits: [],
      exchangeFilters: [],
      symbols: listed.map(({ spec }) => ({
        symbol: spec.symbol,
        status: 'TRADING',
        baseAsset: spec.symbol.replace(/USDT$/, ''),
        baseAssetPrecision: 8,
        quoteAsset: 'USDT',
        quotePrecision: 8,
        quoteAssetPrecision: 8,
        filters: [
          {
            filterType: 'PRICE_FILTER',
            minPrice: spell(1, spec.priceDigits, PADDED),
            maxPrice: '1000000.00000000',
            tickSize: spell(1, spec.priceDigits, PADDED),
          },
          {
            filterType: 'LOT_SIZE',
            minQty: spell(1, spec.sizeDigits, PADDED),
            maxQty: '9000000.00000000',
            stepSize: spell(1, spec.sizeDigits, PADDED),
          },
        ],
      })),
    })
  }
}
