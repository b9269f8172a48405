/** What the stream stage takes and gives. */
import type { GatewayStats } from '../native/gateway.js'
import type { NativeInstruments } from '../native/instruments.js'

export type { GatewayFile, GatewayStats, GatewayTopicStats } from '../native/gateway.js'

export interface GatewayParts {
  /** NativeLogs: this machine's, and with Kafka the cluster's. A record that stands in both is taken once, by (epoch, seq). */
  readonly logs: readonly object[]
  readonly instruments: NativeInstruments
  /** Loads the registry to its end; asked for when a record names an instrument that is not in the table. */
  readonly loadInstruments?: (id: number) => Promise<void>
  /** Told of a failed load: the gateway goes on and sends those records raw. */
  readonly onError?: (error: unknown) => void
}

export interface Gateway {
  /** Binds, listens, follows the log; the port it listens on. */
  start(): Promise<{ readonly port: number }>
  /** Closes every connection with 1001 and joins the native threads. */
  stop(): Promise<void>
  /** False: not a topic's name. */
  addTopic(name: string): boolean
  /** The native table has new instruments. */
  instrumentsChanged(): void
  stats(): GatewayStats
}
