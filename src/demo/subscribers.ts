/** The demo's two subscribers: one reads everything and counts it, the other stops reading for a while. */
import WebSocket from 'ws'
import { type SocketLike, StreamClient } from '../web/client.js'
import type { Counts } from '../web/tracker.js'
import type { BatchView } from '../wire/index.js'
import type { Seen } from './sum.js'

interface Subscription {
  readonly topic: string
  readonly counts: Counts
  /** Data records; gap records are told apart. */
  delivered: number
}

export class CountingSubscriber {
  readonly socket: WebSocket
  readonly client: StreamClient
  readonly #subscriptions: Subscription[] = []

  constructor(url: string) {
    this.socket = new WebSocket(url, { perMessageDeflate: false })
    this.client = new StreamClient(this.socket as unknown as SocketLike)
  }

  async subscribe(topic: string, handler: (batch: BatchView, index: number) => void = () => {}): Promise<void> {
    await this.client.opened
    let subscription: Subscription | undefined
    const { counts, live } = this.client.subscribe(
      { topic, symbols: ['*'], mode: 'all', overflow: 'drop', snapshot: false },
      (batch, index) => {
        if (batch.name !== 'gap' && subscription !== undefined) subscription.delivered += 1
        handler(batch, index)
      },
    )
    subscription = { topic, counts, delivered: 0 }
    this.#subscriptions.push(subscription)
    await live
  }

  seen(dataType: string): Seen {
    const found = this.#subscriptions.find((one) => one.topic.split('.')[2] === dataType)
    if (found === undefined) throw new Error(`no subscription of ${dataType}`)
    const { missing, dropped, lostUpstream } = found.counts
    return { delivered: found.delivered, missing, dropped, lostUpstream }
  }

  /** Reads nothing until resume: the kernel's buffers fill, then the gateway's bound acts. */
  stall(): void {
    this.socket.pause()
  }
  resume(): void {
    this.socket.resume()
  }

  close(): void {
    this.client.close()
    this.socket.terminate()
  }
}
