/** Starts the processes of a load and ends them, by order or by signal. Each is known by what it last told. */
import { type ChildProcess, fork } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import { until } from '../../until.js'
import { workerFile } from '../../worker-file.js'
import type { ConsumeOrders, ConsumeStatus, Order, Orders, ProduceOrders, ProduceStatus } from './orders.js'

const READY_MS = 60_000

export class LoadProcess<Status> {
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  #status: Status | undefined
  #told = 0
  #ending = false

  constructor(file: string, orders: Orders) {
    this.#child = fork(file, [JSON.stringify(orders)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] })
    this.#child.on('message', (message) => {
      this.#status = message as Status
      this.#told++
    })
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve())
    })
  }

  /** What it last told; throws when it ended by itself. */
  get status(): Status {
    const { exitCode, signalCode } = this.#child
    if (!this.#ending && (exitCode ?? signalCode) !== null) throw new Error(`a load process ended: ${exitCode ?? signalCode}`)
    if (this.#status === undefined) throw new Error('a load process has told nothing yet')
    return this.#status
  }

  async ready(): Promise<this> {
    await until('a load process to tell', () => this.#told > 0 && this.status !== undefined, READY_MS)
    return this
  }

  order(order: Order): void {
    if (order === 'stop') this.#ending = true
    if (this.#child.connected) this.#child.send(order)
  }

  /** Holes from now on. */
  async measure(): Promise<void> {
    this.order('measure')
    // The one after the next was made behind the order.
    const told = this.#told
    await until('a fresh measure', () => this.#told > told + 1 && this.status !== undefined, READY_MS)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.#ending = true
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  async stop(): Promise<void> {
    this.order('stop')
    await this.#exited
    const { exitCode, signalCode } = this.#child
    if (exitCode !== 0) throw new Error(`a load process did not end in good order: ${exitCode ?? signalCode}`)
  }
}

export const startProduce = async (orders: Omit<ProduceOrders, 'role'>): Promise<LoadProcess<ProduceStatus>> =>
  await new LoadProcess<ProduceStatus>(await workerFile('kafka/load/worker.ts'), { role: 'produce', ...orders }).ready()

export const startConsume = async (orders: Omit<ConsumeOrders, 'role'>): Promise<LoadProcess<ConsumeStatus>> =>
  await new LoadProcess<ConsumeStatus>(await workerFile('kafka/load/worker.ts'), { role: 'consume', ...orders }).ready()

/** Waits for a condition and tells how long it took, in ms. */
export async function timed(what: string, condition: () => boolean, timeoutMs: number): Promise<number> {
  const startedMs = performance.now()
  await until(what, condition, timeoutMs)
  return Math.round(performance.now() - startedMs)
}
