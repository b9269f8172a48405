/**
 * A network that fails on request, between clients and one listener of a broker: the broker stays well, what is between breaks.
 * Reads and writes bytes without looking at them, on this process's event loop; a slow side holds the other back.
 */
import { createServer, connect as dial, type Server, type Socket } from 'node:net'

interface Pair {
  readonly client: Socket
  readonly broker: Socket
}

export class FaultProxy {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #refusing = false
  #frozen = false
  #delayMs = 0
  /** Bytes from clients and from the broker that were passed on. */
  readonly passed = { fromClients: 0, fromBroker: 0 }

  private constructor(
    readonly port: number,
    targetPort: number,
  ) {
    this.#server = createServer((client) => this.#join(client, targetPort))
  }

  static async start(port: number, targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(port, targetPort)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen(port, '127.0.0.1', resolve)
    })
    return proxy
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** Resets all connections and each new one, as when nobody listens. */
  refuse(): void {
    this.#refusing = true
    this.cut()
  }

  /** Resets all connections; new ones are welcome. */
  cut(): void {
    for (const { client, broker } of this.#pairs) {
      client.resetAndDestroy()
      broker.resetAndDestroy()
    }
  }

  /** Connections stay and are made, nothing passes: what a broken switch or a frozen host looks like. */
  freeze(): void {
    this.#frozen = true
    for (const pair of this.#pairs) this.#flow(pair)
  }

  /** Each chunk waits this long on its way, in both directions. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** Ends every fault; what was held is passed on. */
  heal(): void {
    this.#refusing = false
    this.#frozen = false
    this.#delayMs = 0
    for (const pair of this.#pairs) this.#flow(pair)
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.cut()
    await closed
  }

  #join(client: Socket, targetPort: number): void {
    if (this.#refusing) {
      client.resetAndDestroy()
      return
    }
    const pair = { client, broker: dial({ host: '127.0.0.1', port: targetPort }) }
    this.#pairs.add(pair)
    const over = (): void => {
      this.#pairs.delete(pair)
      client.destroy()
      pair.broker.destroy()
    }
    for (const socket of [client, pair.broker]) {
      socket.setNoDelay(true)
      // An error is always followed by close.
      socket.on('error', () => undefined)
      socket.on('close', over)
    }
    client.on('data', (chunk: Buffer) => this.#pass(client, pair.broker, chunk, 'fromClients'))
    pair.broker.on('data', (chunk: Buffer) => this.#pass(pair.broker, client, chunk, 'fromBroker'))
    this.#flow(pair)
  }

  #flow({ client, broker }: Pair): void {
    for (const socket of [client, broker]) {
      if (this.#frozen) socket.pause()
      else socket.resume()
    }
  }

  /** Timers of one length fire in the order they were set, and a source waits for its chunk: bytes keep their order. */
  #pass(from: Socket, to: Socket, chunk: Buffer, direction: keyof FaultProxy['passed']): void {
    const write = (): void => {
      if (to.destroyed) return
      this.passed[direction] += chunk.length
      const resume = (): void => {
        if (!this.#frozen) from.resume()
      }
      if (to.write(chunk)) resume()
      else to.once('drain', resume)
    }
    from.pause()
    if (this.#delayMs === 0) write()
    else setTimeout(write, this.#delayMs)
  }
}
