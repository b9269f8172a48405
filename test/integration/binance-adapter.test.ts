import { afterEach, describe, expect, it } from 'vitest'
import { createAdapter, type FeedPort, type FeedRequest, livePorts, type VenueAdapter } from '../../src/adapters/index.js'
import { until } from '../support/until.js'
import { SimulatedBinance } from '../support/venues/binance/server.js'

class CollectingPort implements FeedPort {
  readonly frames: { stream: string; data: Record<string, unknown> }[] = []
  readonly rest: string[] = []
  reconnects = 0
  requests: FeedRequest[] = []
  push(frame: Uint8Array, isText: boolean): void {
    expect(isText).toBe(true)
    const message = JSON.parse(new TextDecoder().decode(frame)) as { stream?: string; data?: Record<string, unknown> }
    if (message.stream !== undefined && message.data !== undefined)
      this.frames.push({ stream: message.stream, data: message.data })
  }
  pushRest(url: string, body: Uint8Array): void {
    this.rest.push(`${url} ${new TextDecoder().decode(body)}`)
  }
  async reopen(): Promise<void> {
    this.reconnects += 1
  }
  takeRequests(): readonly FeedRequest[] {
    return this.requests.splice(0)
  }
  trades(symbol: string): number[] {
    return this.frames.filter((frame) => frame.stream === `${symbol.toLowerCase()}@trade`).map((frame) => frame.data.t as number)
  }
}

describe('binance adapter against the simulated venue', () => {
  let venue: SimulatedBinance
  let adapter: VenueAdapter
  const port = () => new CollectingPort()
  const begin = async (collecting: CollectingPort, extra: Record<string, number> = {}, symbols = ['BTCUSDT', 'ETHUSDT']) => {
    venue = new SimulatedBinance({ seed: 5, eventsPerSecond: 2000, pingIntervalMs: 50 })
    await venue.start()
    adapter = createAdapter(
      'binance',
      {
        symbols,
        channels: ['trades', 'quotes', 'book'],
        streamUrl: venue.streamUrl,
        restUrl: venue.restUrl,
        backoffMinMs: 10,
        ...extra,
      },
      livePorts(() => {}),
    )
    await adapter.start(collecting)
  }
  afterEach(async () => {
    await adapter?.stop()
    await venue?.stop()
  })

  it('lists instruments with exponents two digits finer than the tick', async () => {
    await begin(port())
    const [btc] = await adapter.list(['BTCUSDT'])
    expect(btc).toMatchObject({
      symbol: 'BTCUSDT',
      priceExponent: -4,
      sizeExponent: -7,
      tickSize: '0.01000000',
      lotSize: '0.00001000',
    })
    await expect(adapter.list(['NOPE'])).rejects.toThrow('binance does not list NOPE')
  })

  it('delivers every trade in order, and those of symbols added while running', async () => {
    const collecting = port()
    await begin(collecting)
    await until(
      'trades of both symbols',
      () => collecting.trades('BTCUSDT').length > 50 && collecting.trades('ETHUSDT').length > 50,
    )
    await adapter.subscribe(['SOLUSDT'])
    await until('trades of the added symbol', () => collecting.trades('SOLUSDT').length > 20)
    await adapter.unsubscribe(['ETHUSDT'])
    const ids = collecting.trades('BTCUSDT')
    expect(ids).toEqual(ids.map((_, i) => (ids[0] as number) + i))
    expect(adapter.stats().subscribed).toEqual(['BTCUSDT', 'SOLUSDT'])
  })

  it('comes back after a cut and says so once', async () => {
    const collecting = port()
    await begin(collecting)
    await until('first trades', () => collecting.trades('BTCUSDT').length > 5)
    venue.cutConnections()
    await until('the reconnect', () => collecting.reconnects === 1)
    const before = collecting.frames.length
    await until('frames after it', () => collecting.frames.length > before + 10)
    expect(adapter.stats()).toMatchObject({ state: 'open', connects: 2, disconnects: 1 })
  })

  it('rotates without a hole and without a reconnect', async () => {
    const collecting = port()
    await begin(collecting, { rotateAfterMs: 100 })
    await until('a rotation', () => adapter.stats().rotations >= 1)
    await until('trades after it', () => collecting.trades('BTCUSDT').length > 100)
    const ids = [...new Set(collecting.trades('BTCUSDT'))].sort((a, b) => a - b)
    expect(ids).toEqual(ids.map((_, i) => (ids[0] as number) + i))
    expect(collecting.reconnects).toBe(0)
  })

  it('fetches the snapshots the feed asks for', async () => {
    const collecting = port()
    await begin(collecting)
    collecting.requests.push({ kind: 'snapshot', venueSymbol: 'BTCUSDT' })
    await until('the snapshot', () => collecting.rest.length === 1)
    expect(collecting.rest[0]).toContain('/api/v3/depth?symbol=BTCUSDT&limit=1000 {"lastUpdateId":')
  })

  it('refuses more streams than one connection may carry', () => {
    const symbols = Array.from({ length: 400 }, (_, i) => `S${i}`)
    const make = () =>
      createAdapter(
        'binance',
        { symbols, channels: ['trades', 'quotes', 'book'] },
        livePorts(() => {}),
      )
    expect(make).toThrow('1200 streams are asked of one connection, the venue allows 1024')
  })
})
