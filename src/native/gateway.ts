/** The stream gateway of the addon: sockets and the log's tail on native threads. src/stream gives it options and metrics. */
import { addon } from './addon.js'
import type { NativeInstruments } from './instruments.js'

export interface GatewayFile {
  /** As requested: '/index.html'; '/' asks for that one. */
  readonly path: string
  readonly type: string
  readonly body: Uint8Array
}

/** Native names, native defaults (native/fanout/server.h); docs/reference/websocket.md lists them. */
export interface NativeGatewayOptions {
  readonly topics?: readonly string[]
  readonly host?: string
  readonly port?: number
  readonly path?: string
  readonly origins?: readonly string[]
  readonly hosts?: readonly string[]
  readonly files?: readonly GatewayFile[]
  readonly clientBytesMax?: number
  readonly snapshotBytesMax?: number
  readonly controlBytesMax?: number
  readonly subscriptionsMax?: number
  readonly barHistory?: number
  readonly frameBytesMax?: number
  readonly messageBytesMax?: number
  readonly clientsMax?: number
  readonly httpTimeoutMs?: number
  readonly pingIntervalMs?: number
  readonly idleTimeoutMs?: number
  readonly closeTimeoutMs?: number
  readonly sendBufferBytes?: number
  readonly warmRecords?: number
  readonly warmBars?: number
  readonly instrumentWaitMs?: number
}

export interface GatewayTopicStats {
  readonly records: number
  readonly repeats: number
  readonly withoutStream: number
  readonly badBatches: number
  readonly unknownTypes: number
  readonly unknownInstruments: number
  readonly lostOffsets: number
}

/** Totals since the start; offered = delivered + conflated + dropped + what subscriptions hold at this moment. */
export interface GatewayStats {
  readonly clients: number
  readonly subscriptions: number
  readonly offered: number
  readonly delivered: number
  readonly conflated: number
  readonly dropped: number
  readonly gapNotices: number
  readonly snapshotRecords: number
  readonly connections: number
  readonly connectionsRefused: number
  readonly httpRequests: number
  readonly httpErrors: number
  readonly frameErrors: number
  readonly commandsRefused: number
  readonly slowDisconnects: number
  readonly idleDisconnects: number
  readonly framesSent: number
  readonly bytesSent: number
  readonly sends: number
  readonly bytesWaiting: number
  readonly bytesWaitingMax: number
  readonly appendToSendNsP50: number
  readonly appendToSendNsP99: number
  readonly receiveToSendNsP50: number
  readonly receiveToSendNsP99: number
  readonly topics: Readonly<Record<string, GatewayTopicStats>>
}

export interface NativeGateway {
  /** Binds and starts the threads; the port. Throws when the address cannot be had. */
  start(): number
  /** Joins the threads. A stopped gateway does not start again. */
  stop(): void
  /** False: not a topic's name. A topic that is not in the log yet is found when it comes. */
  addTopic(name: string): boolean
  /** The native table has new instruments. */
  instrumentsChanged(): void
  stats(): GatewayStats
}

const Constructor = addon.NativeGateway as new (
  logs: readonly object[],
  instruments: NativeInstruments,
  options: NativeGatewayOptions,
  onUnknownInstrument?: (id: number) => void,
) => NativeGateway

/**
 * `logs` are NativeLogs that hold the same topics; a record that stands in several is taken once. `onUnknownInstrument` is called when a batch names an instrument that is not in the table: load the
 * registry, then call `instrumentsChanged`; until then, at most `instrumentWaitMs`, that partition waits.
 */
export const createNativeGateway = (
  logs: readonly object[],
  instruments: NativeInstruments,
  options: NativeGatewayOptions,
  onUnknownInstrument?: (id: number) => void,
): NativeGateway => new Constructor(logs, instruments, options, onUnknownInstrument)
