/** The subscribers' side of pipeline.latency, in its own process: receives, and measures from when each tick was due. */
import WebSocket from 'ws'
import { BatchView, type Field, layout } from '../../src/wire/index.js'

const ENVELOPE_BYTES = 16 // docs/reference/websocket.md

export interface Measured {
  readonly received: number
  readonly elapsedMs: number
  readonly p50Us: number
  readonly p99Us: number
}

interface Start {
  readonly port: number
  readonly kind: 'ours' | 'theirs'
  readonly clients: number
  readonly ticks: number
  readonly topic: string
}

export async function measure(): Promise<void> {
  const inbox: unknown[] = []
  let wake = () => {}
  process.on('message', (message) => {
    inbox.push(message)
    wake()
  })
  const next = async (): Promise<unknown> => {
    while (inbox.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return inbox.shift()
  }
  const start = (await next()) as Start
  const total = start.ticks * start.clients
  const latencies = new Float64Array(total)
  let received = 0
  let begin = 0n
  let intervalNs = 0
  let finished = () => {}
  const done = new Promise<void>((resolve) => {
    finished = resolve
  })
  const tick = (id: number) => {
    const now = Number(process.hrtime.bigint() - begin)
    latencies[received] = now - (id - 1) * intervalNs
    received += 1
    if (received === total) finished()
  }
  const tradeId = layout.records.trade.fields.trade_id as Field
  const sockets: WebSocket[] = []
  for (let i = 0; i < start.clients; i++) {
    const socket = new WebSocket(`ws://127.0.0.1:${start.port}/stream`, { perMessageDeflate: false })
    sockets.push(socket)
    if (start.kind === 'ours') {
      await new Promise((resolve) => socket.once('open', resolve))
      await new Promise<void>((resolve) => {
        socket.on('message', (data, isBinary) => {
          if (!isBinary) return String(data).includes('"op":"subscribed"') ? resolve() : undefined
          const batch = new BatchView((data as Buffer).subarray(ENVELOPE_BYTES))
          if (batch.name === 'trade') for (let k = 0; k < batch.count; k++) tick(batch.number(tradeId, k))
        })
        socket.send(JSON.stringify({ op: 'subscribe', id: 1, topic: start.topic, symbols: ['*'], mode: 'all', snapshot: false }))
      })
    } else {
      await new Promise((resolve) => socket.once('open', resolve))
      socket.on('message', (data) => tick((JSON.parse(String(data)) as { id: number }).id))
    }
  }
  process.send?.({ ready: true })
  const go = (await next()) as { begin: string; perSecond: number }
  begin = BigInt(go.begin)
  intervalNs = go.perSecond === 0 ? 0 : 1e9 / go.perSecond
  process.send?.({ has: true })
  const started = performance.now()
  await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 20_000))])
  const elapsedMs = performance.now() - started
  const sorted = latencies.subarray(0, received).sort()
  const at = (share: number) => (sorted[Math.min(received - 1, Math.floor(received * share))] ?? 0) / 1000
  const measured: Measured = { received, elapsedMs, p50Us: at(0.5), p99Us: at(0.99) }
  for (const socket of sockets) socket.terminate()
  await new Promise<void>((resolve) => {
    process.send?.(measured, () => resolve())
  })
}
