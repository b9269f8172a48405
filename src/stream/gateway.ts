/** Options to a running gateway. */
import { createNativeGateway, type NativeGatewayOptions } from '../native/gateway.js'
import { readPage } from './files.js'
import { allowedHosts, type GatewayOptions, type GatewayOptionsInput, gatewayOptionsSchema } from './options.js'
import type { Gateway, GatewayFile, GatewayParts } from './types.js'

function nativeOptions(options: GatewayOptions, files: readonly GatewayFile[]): NativeGatewayOptions {
  const { limits } = options
  return {
    topics: options.topics,
    host: options.host,
    port: options.port,
    path: options.path,
    origins: options.origins,
    hosts: allowedHosts(options),
    files,
    clientsMax: limits.clients,
    clientBytesMax: limits.clientBytes,
    snapshotBytesMax: limits.snapshotBytes,
    controlBytesMax: limits.controlBytes,
    messageBytesMax: limits.messageBytes,
    frameBytesMax: limits.frameBytes,
    subscriptionsMax: limits.subscriptionsPerClient,
    sendBufferBytes: limits.sendBufferBytes,
    pingIntervalMs: options.pingIntervalMs,
    idleTimeoutMs: options.idleTimeoutMs,
    httpTimeoutMs: options.httpTimeoutMs,
    closeTimeoutMs: options.closeTimeoutMs,
    barHistory: options.barHistory,
    warmRecords: options.warmRecords,
    warmBars: options.warmBars,
    instrumentWaitMs: options.instrumentWaitMs,
  }
}

/** `files` besides the page's own, or in place of them when `page` is false. Throws what zod says of bad options. */
export function createGateway(
  parts: GatewayParts,
  input: GatewayOptionsInput & { readonly files?: readonly GatewayFile[] } = {},
): Gateway {
  const { files = [], ...settings } = input
  const options = gatewayOptionsSchema.parse(settings)
  const served = [...(options.page ? readPage() : []), ...files]
  let loading = false
  const load = async (id: number): Promise<void> => {
    if (parts.loadInstruments === undefined || loading) return
    loading = true
    try {
      await parts.loadInstruments(id)
    } catch (error) {
      parts.onError?.(error)
    } finally {
      loading = false
      native.instrumentsChanged()
    }
  }
  const native = createNativeGateway(parts.logs, parts.instruments, nativeOptions(options, served), (id) => void load(id))
  return {
    start: async () => ({ port: native.start() }),
    stop: async () => native.stop(),
    addTopic: (name) => native.addTopic(name),
    instrumentsChanged: () => native.instrumentsChanged(),
    stats: () => native.stats(),
  }
}
