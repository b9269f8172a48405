/**
 * Sockets of the venues: connect, subscribe, rotate, reconnect. Reads frames from the network, writes them to a FeedPort (the
 * native feed), one call a frame, on the event loop. When the feed is slow its ring refuses, counts and leaves a gap record; an
 * adapter never queues frames of its own. Each venue has two files: socket.ts (facts of its connection) and meaning.ts (names).
 */

import { binanceMarkets } from './binance/meaning.js'
import { BinanceAdapter, type BinanceAdapterOptions } from './binance/socket.js'
import type { AdapterOptions, AdapterPorts, VenueAdapter } from './types.js'

export { livePorts } from './ports.js'
export * from './types.js'
export { binanceMarkets }

/** Venues with a live adapter, as the command line names them. */
export const liveVenues = ['binance', 'binance_usdm', 'binance_coinm'] as const
export type LiveVenue = (typeof liveVenues)[number]

export interface VenueUrls {
  readonly streamUrl?: string
  readonly restUrl?: string
}

/** The adapter of a venue; urls point it elsewhere (a proxy, a simulated venue). */
export function createAdapter(
  venue: LiveVenue,
  options: AdapterOptions & VenueUrls & Partial<BinanceAdapterOptions>,
  ports: AdapterPorts,
): VenueAdapter {
  const { streamUrl, restUrl, ...rest } = options
  const market = {
    ...binanceMarkets[venue],
    ...(streamUrl === undefined ? {} : { streamUrl }),
    ...(restUrl === undefined ? {} : { restUrl }),
  }
  return new BinanceAdapter({ ...rest, market }, ports)
}
