/** The real outside world of adapters: `ws` sockets, `fetch`, the system clock. */
import WebSocket from 'ws'
import { systemClock } from '../core/clock.js'
import type { AdapterPorts, SocketLike } from './types.js'

const CONNECT_TIMEOUT_MS = 10_000
const FRAME_MAX = 16 * 1024 * 1024

function connect(url: string): SocketLike {
  const socket = new WebSocket(url, { handshakeTimeout: CONNECT_TIMEOUT_MS, maxPayload: FRAME_MAX, perMessageDeflate: false })
  socket.binaryType = 'nodebuffer'
  // An error is always followed by close, which carries on; without a listener it would end the process.
  socket.on('error', () => {})
  return {
    send: (text) => socket.send(text),
    close: () => socket.close(),
    terminate: () => socket.terminate(),
    onOpen: (handler) => void socket.on('open', handler),
    onMessage: (handler) => void socket.on('message', (data, isBinary) => handler(data as Buffer, !isBinary)),
    onPing: (handler) => void socket.on('ping', handler),
    onClose: (handler) => void socket.on('close', (code, reason) => handler(code, reason.toString())),
  }
}

/** Ports for live use; `log` is where connection events go. */
export function livePorts(log: AdapterPorts['log']): AdapterPorts {
  return {
    clock: systemClock,
    random: Math.random,
    connect,
    fetch: async (url) => {
      const answer = await fetch(url, { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) }).catch((error: Error) => {
        // Its own message is `fetch failed`, whatever happened.
        const reason = error.cause instanceof Error ? error.cause.message : error.message
        throw new Error(`${new URL(url).host} cannot be asked: ${reason}`, { cause: error })
      })
      return { status: answer.status, body: new Uint8Array(await answer.arrayBuffer()) }
    },
    log,
  }
}
