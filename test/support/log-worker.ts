/**
 * A process (or a worker thread) that works on a log as the test tells it. Bundled by log-processes.ts and started with its
 * orders as JSON; tells what it does by messages.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { PoisonRecordError } from '../../src/core/errors.js'
import {
  type Batch,
  type HandlerContext,
  type Log,
  openKafkaLog,
  openLog,
  type PartitionState,
  type Result,
} from '../../src/log/index.js'
import { tradeRun } from './batches.js'

/** Where the log is: a directory, or a cluster. */
export type LogPlace =
  | { readonly directory: string }
  | { readonly brokers: string; readonly groupProtocol: 'consumer' | 'classic' }

export const openPlace = (place: LogPlace): Promise<Log> =>
  'directory' in place
    ? openLog({ directory: place.directory })
    : openKafkaLog({ properties: { 'bootstrap.servers': place.brokers }, groupProtocol: place.groupProtocol, replication: 1 })

export type Orders =
  | { readonly role: 'append'; place: LogPlace; topic: string; partition: number; tag: string; count: number }
  | {
      readonly role: 'consume'
      place: LogPlace
      group: string
      topics: string[]
      heartbeatMs: number
      hungMs: number
      /** Handlers wait for the order 'go' once `holdAfter` batches are done. */
      holdAfter?: number
      /** Ends by itself after that many batches (worker threads). */
      batches?: number
      /** Messages of this key are poison, until they come again as redriven dead letters. */
      poison?: string
      /** Redriven ones are told of and then never done with. */
      holdRedriven?: boolean
    }

export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'appended'; readonly tag: string; readonly offsets: number[] }
  | {
      readonly kind: 'batch'
      readonly partition: number
      readonly generation: number
      readonly offset: number
      readonly count: number
      readonly key: string
    }
  | { readonly kind: 'redrive'; readonly id: string }
  | { readonly kind: 'handling'; readonly partition: number; readonly offset: number }
  | { readonly kind: 'assigned' | 'revoked'; readonly partition: number; readonly generation: number; readonly offset: number }
  | { readonly kind: 'zombie'; readonly state: string; readonly fenced: number; readonly appended: string }
  | { readonly kind: 'stopped' }

const report = (message: Report): void => {
  if (isMainThread) process.send?.(message)
  else parentPort?.postMessage(message)
}
/** Settles when the report has left the process: what was committed before a kill has been told before it. */
const told = (message: Report): Promise<void> => {
  if (!isMainThread || process.send === undefined) return Promise.resolve(report(message))
  return new Promise((resolve) => process.send?.(message, () => resolve()))
}
const orders = (isMainThread ? JSON.parse(process.argv[2] ?? '{}') : workerData) as Orders
const log = await openPlace(orders.place)

if (orders.role === 'append') {
  const offsets: number[] = []
  for (let i = 0; i < orders.count; ) {
    const value = new TextEncoder().encode(`${orders.tag}:${i}`)
    const { status, offset } = await log.append(orders.topic, orders.partition, { kind: 'opaque', key: orders.tag, value })
    if (status === 'busy') continue
    if (status !== 'ok') throw new Error(`append: ${status}`)
    offsets.push(offset)
    i++
    if (i % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  report({ kind: 'appended', tag: orders.tag, offsets })
  await log.close()
  if (isMainThread) process.disconnect?.()
} else {
  let handled = 0
  let go: () => void = () => {}
  const gone = new Promise<void>((resolve) => {
    go = resolve
  })
  let held: PartitionState | undefined
  const consume = orders
  const handler = async (batch: Batch, context: HandlerContext): Promise<Result> => {
    if (context.redrive !== undefined) {
      await told({ kind: 'redrive', id: context.redrive.id })
      if (consume.holdRedriven === true) await new Promise(() => {})
      return undefined
    }
    handled++
    const { partition, offset, count, key } = batch
    report({ kind: 'handling', partition, offset })
    if (consume.holdAfter !== undefined && handled > consume.holdAfter) {
      held = context.state
      await gone
    }
    await told({ kind: 'batch', partition, generation: context.generation, offset, count, key })
    return key === consume.poison ? { failed: [{ index: 0, error: new PoisonRecordError(key) }] } : undefined
  }
  const consumer = await log.consumer({
    group: consume.group,
    topics: consume.topics,
    handler,
    heartbeatMs: consume.heartbeatMs,
    hungMs: consume.hungMs,
    onAssigned: ({ partition, generation, offset }) => report({ kind: 'assigned', partition, generation, offset }),
    onRevoked: (_topic, partition) => report({ kind: 'revoked', partition, generation: 0, offset: 0 }),
  })
  const onOrder = async (order: string): Promise<void> => {
    if (order === 'go') {
      go()
      // What a zombie does when it wakes: writes its state, commits, and appends what it had derived.
      const state = held === undefined ? 'none' : await held.save({ bytes: new Uint8Array([6, 6, 6]), meta: 'zombie' })
      const value = tradeRun(1, 3, { price: 666n })
      const topic = consume.topics[0] ?? ''
      const { status } = await log.append(`${topic}.out`, 0, { kind: 'batch', value })
      await new Promise((resolve) => setTimeout(resolve, 50))
      report({ kind: 'zombie', state, fenced: consumer.counters.fenced, appended: status })
    } else if (order === 'stop') {
      await consumer.stop()
      await log.close()
      report({ kind: 'stopped' })
      if (isMainThread) process.disconnect?.()
    }
  }
  if (isMainThread) process.on('message', (order) => void onOrder(String(order)))
  else parentPort?.on('message', (order) => void onOrder(String(order)))
  report({ kind: 'ready' })
}
