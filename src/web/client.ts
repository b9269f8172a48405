/**
 * The client of the stream gateway, for browsers and Node: subscribes, decodes binary batches in place, keeps the instruments'
 * names and exponents, and says whether the view is complete. Reads frames, calls handlers; holds nothing but the newest state.
 * A handler that is slow makes this client slow, and the gateway then does what the subscription asked for.
 */
import { BatchView, type InstrumentScale, layout } from '../wire/index.js'
import { type Counts, type GapNotice, Tracker } from './tracker.js'

/** What is used of a WebSocket; the browser's own and `ws` both have it. */
export interface SocketLike {
  binaryType: string
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(text: string): void
  close(code?: number, reason?: string): void
}

export interface SubscribeOptions {
  readonly topic: string
  readonly symbols?: readonly string[]
  readonly mode?: 'all' | 'conflate'
  readonly intervalMs?: number
  readonly overflow?: 'drop' | 'disconnect'
  readonly intervals?: readonly string[]
  readonly last?: number
  readonly snapshot?: boolean
}

export type FrameKind = 'live' | 'snapshot' | 'conflated'
/** Called for each record that is new; fields are read from the view, which is valid during the call only. */
export type RecordHandler = (batch: BatchView, index: number, kind: FrameKind) => void

export interface TopicInfo {
  readonly name: string
  readonly topicNumber: number
  readonly streams: number
  readonly records: number
}

export interface SubscriptionStats {
  readonly subscription: number
  readonly topic: string
  readonly offered: number
  readonly delivered: number
  readonly conflated: number
  readonly dropped: number
  readonly gapNotices: number
}

export interface ClientSubscription {
  readonly options: SubscribeOptions
  readonly counts: Counts
  readonly live: Promise<void>
  unsubscribe(): void
}

interface Message {
  readonly op?: string
  readonly id?: number
  readonly subscription?: number
  readonly topicNumber?: number
  readonly message?: string
  readonly field?: string
  readonly topics?: readonly TopicInfo[]
  readonly subscriptions?: readonly SubscriptionStats[]
  readonly instruments?: readonly (InstrumentScale & { readonly id: number })[]
  readonly gaps?: readonly GapNotice[]
}

interface Entry extends ClientSubscription {
  number: number
  topicNumber: number
  closed: boolean
  readonly tracker: Tracker
  readonly symbols: ReadonlySet<string> | undefined
  readonly handler: RecordHandler
  readonly settle: { resolve(): void; reject(error: Error): void }
}

const ENVELOPE_BYTES = 16
/** The header is the same in every record. */
const INSTRUMENT = layout.records.trade.fields.instrument_id
const kinds: readonly FrameKind[] = ['live', 'snapshot', 'conflated']

export class StreamClient {
  readonly instruments = new Map<number, InstrumentScale>()
  onClose: ((code: number, reason: string) => void) | undefined
  onInstruments: ((ids: readonly number[]) => void) | undefined
  /** Offsets of the log that cannot be read any more. */
  onHole: ((topic: string) => void) | undefined
  /** Frames that were no frames of this protocol. */
  badFrames = 0
  readonly opened: Promise<void>
  readonly #socket: SocketLike
  readonly #entries = new Set<Entry>()
  readonly #answers = new Map<number, (message: Message) => void>()
  #next = 1

  constructor(socket: SocketLike) {
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    this.opened = new Promise((resolve, reject) => {
      socket.onopen = () => resolve()
      socket.onerror = () => reject(new Error('the gateway cannot be reached'))
      socket.onclose = (event: { readonly code?: number; readonly reason?: string }) => {
        reject(new Error('the connection was closed'))
        this.#answers.clear()
        this.onClose?.(event.code ?? 1006, event.reason ?? '')
      }
    })
    this.opened.catch(() => undefined)
    socket.onmessage = (event: { readonly data: unknown }) => this.#onMessage(event.data)
  }

  topics(): Promise<readonly TopicInfo[]> {
    return this.#ask({ op: 'topics' }).then((answer) => answer.topics ?? [])
  }

  stats(): Promise<readonly SubscriptionStats[]> {
    return this.#ask({ op: 'stats' }).then((answer) => answer.subscriptions ?? [])
  }

  subscribe(options: SubscribeOptions, handler: RecordHandler): ClientSubscription {
    const tracker = new Tracker()
    let settle: Entry['settle'] = { resolve: () => undefined, reject: () => undefined }
    const live = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject }
    })
    live.catch(() => undefined)
    const named = options.symbols !== undefined && !options.symbols.includes('*')
    const entry: Entry = {
      options,
      live,
      handler,
      tracker,
      settle,
      counts: tracker.counts,
      symbols: named ? new Set(options.symbols) : undefined,
      number: 0,
      topicNumber: 0,
      closed: false,
      unsubscribe: () => {
        entry.closed = true
        this.#entries.delete(entry)
        if (entry.number !== 0) this.#socket.send(JSON.stringify({ op: 'unsubscribe', subscription: entry.number }))
      },
    }
    this.#entries.add(entry)
    this.#ask({ op: 'subscribe', format: 'binary', ...options }, entry).then(
      (answer) => {
        if (entry.closed) this.#socket.send(JSON.stringify({ op: 'unsubscribe', subscription: answer.subscription }))
      },
      (error: Error) => {
        this.#entries.delete(entry)
        settle.reject(error)
      },
    )
    return entry
  }

  close(): void {
    this.#socket.close(1000)
  }

  #ask(request: Readonly<Record<string, unknown>>, entry?: Entry): Promise<Message> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#answers.set(id, (message) => {
        if (message.op === 'error') {
          reject(new Error(`${message.field}: ${message.message}`))
          return
        }
        if (entry !== undefined) {
          // At once and not in a promise: the snapshot is in the next frame.
          entry.number = message.subscription ?? 0
          entry.topicNumber = message.topicNumber ?? 0
        }
        resolve(message)
      })
      this.#socket.send(JSON.stringify({ id, ...request }))
    })
  }

  #onMessage(data: unknown): void {
    if (typeof data === 'string') return this.#onText(JSON.parse(data) as Message & { readonly topic?: string })
    if (data instanceof ArrayBuffer) return this.#onBinary(new Uint8Array(data))
    this.badFrames++
  }

  #onText(message: Message & { readonly topic?: string }): void {
    if (message.op === 'instruments') {
      for (const { id, ...scale } of message.instruments ?? []) if (scale.symbol !== null) this.instruments.set(id, scale)
      this.onInstruments?.((message.instruments ?? []).map(({ id }) => id))
    } else if (message.op === 'gap') {
      for (const entry of this.#entries) {
        if (entry.number === message.subscription) for (const gap of message.gaps ?? []) entry.tracker.notice(gap)
      }
    } else if (message.op === 'live') {
      for (const entry of this.#entries) if (entry.number === message.subscription) entry.settle.resolve()
    } else if (message.op === 'hole') {
      this.onHole?.(message.topic ?? '')
    } else if (message.id !== undefined) {
      const answer = this.#answers.get(message.id)
      this.#answers.delete(message.id)
      answer?.(message)
    }
  }

  #onBinary(bytes: Uint8Array): void {
    const head = new DataView(bytes.buffer, bytes.byteOffset, Math.min(ENVELOPE_BYTES, bytes.byteLength))
    const kind = bytes.byteLength > ENVELOPE_BYTES && head.getUint8(0) === 1 ? kinds[head.getUint8(1)] : undefined
    if (kind === undefined) {
      this.badFrames++
      return
    }
    const topic = head.getUint16(2, true)
    const subscription = head.getUint16(6, true)
    const batch = new BatchView(bytes.subarray(ENVELOPE_BYTES))
    for (const entry of this.#entries) {
      const isMine =
        subscription !== 0
          ? entry.number === subscription
          : entry.topicNumber === topic && !(entry.options.mode === 'conflate' && (entry.options.intervalMs ?? 0) > 0)
      if (isMine) this.#deliver(entry, batch, kind)
    }
  }

  #deliver(entry: Entry, batch: BatchView, kind: FrameKind): void {
    for (let index = 0; index < batch.count; index++) {
      if (entry.symbols !== undefined) {
        const symbol = this.instruments.get(batch.number(INSTRUMENT, index))?.symbol
        if (symbol === undefined || !entry.symbols.has(symbol)) continue
      }
      if (entry.tracker.accept(batch, index, kind)) entry.handler(batch, index, kind)
    }
  }
}
