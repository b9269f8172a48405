/**
 * Ingestion as far as Kafka sees it: batches of trades are appended to a local log at a steady rate, and the replicator brings them to the
 * brokers. When the brokers are away the local log grows and the rate stays.
 */
import { performance } from 'node:perf_hooks'
import { openLog } from '../../../../src/log/index.js'
import { encodeBatch } from '../../../../src/native/log.js'
import { makeReplicator } from '../../../../src/native/publish.js'
import { layout } from '../../../../src/wire/layout.js'
import { HoleMeter } from './holes.js'
import { instrumentOf, type Order, type ProduceOrders, type ProduceStatus, STREAMS } from './orders.js'

const TURN_MS = 10
const TELL_MS = 50
/** The position moves when the brokers have acknowledged: this is how finely the holes are measured. */
const COMMIT_MS = 20
const RECORDS_MAX = 4_096
const { size, fields, type } = layout.records.trade

export async function produce(orders: ProduceOrders): Promise<void> {
  const { topic, partitions } = orders
  const log = await openLog({ directory: orders.directory })
  await log.ensureTopic({ name: topic, partitions })
  const replicator = makeReplicator(log.native.engine(), {
    properties: { 'bootstrap.servers': orders.brokers },
    topics: [topic],
    commitMs: COMMIT_MS,
  })
  await replicator.start()
  const each = Array.from({ length: partitions }, (_, partition) => partition)
  const seqs = each.map(() => new Uint32Array(STREAMS))
  const acknowledged = each.map(() => 0)
  let meter = new HoleMeter(partitions, performance.now())
  let produced = 0
  let resting = false
  let stopping = false
  process.on('message', (order: Order) => {
    if (order === 'measure') meter = new HoleMeter(partitions, performance.now())
    else if (order === 'rest') resting = true
    else if (order === 'stop') stopping = true
  })

  /** The next records of a partition, its streams in turn. */
  const batchOf = (partition: number, count: number): Uint8Array => {
    const bytes = new Uint8Array(count * size)
    const data = new DataView(bytes.buffer)
    const now = BigInt(Date.now()) * 1_000_000n
    const seq = seqs[partition] as Uint32Array
    for (let i = 0; i < count; i++) {
      const stream = i % STREAMS
      const next = (seq[stream] ?? 0) + 1
      seq[stream] = next
      const at = i * size
      data.setBigUint64(at + fields.ts_event.offset, now, true)
      data.setBigUint64(at + fields.ts_recv.offset, now, true)
      data.setUint32(at + fields.seq.offset, next, true)
      data.setUint32(at + fields.epoch.offset, orders.epoch, true)
      data.setUint32(at + fields.instrument_id.offset, instrumentOf(partition, stream), true)
      data.setUint8(at + fields.type.offset, type)
      data.setUint32(at + fields.price.offset, next, true)
      data.setUint32(at + fields.size.offset, 1, true)
    }
    return encodeBatch(type, bytes, now)
  }
  const append = async (partition: number, count: number): Promise<void> => {
    const value = batchOf(partition, count)
    for (;;) {
      const { status } = await log.append(topic, partition, { kind: 'batch', value })
      if (status === 'ok') break
      if (status !== 'busy') throw new Error(`append to ${topic}/${partition}: ${status}`)
    }
    produced += count
  }
  const look = async (nowMs: number): Promise<void> => {
    for (const partition of each) {
      const committed = (await log.committed('tickwire-replicator', topic, partition)) ?? 0
      if (committed === acknowledged[partition]) continue
      acknowledged[partition] = committed
      meter.happened(partition, nowMs)
    }
  }

  const startedMs = performance.now()
  let toldMs = 0
  while (!stopping) {
    const nowMs = performance.now()
    const due = Math.floor(((nowMs - startedMs) * orders.recordsPerSecond) / 1_000) - produced
    const share = Math.min(Math.floor(due / partitions), RECORDS_MAX)
    if (!resting && share > 0) for (const partition of each) await append(partition, share)
    await look(performance.now())
    if (nowMs - toldMs >= TELL_MS) {
      toldMs = nowMs
      const ends = await Promise.all(each.map(async (partition) => (await log.describe(topic, partition))?.endOffset ?? 0))
      const { state, error, producers, repeats } = replicator.stats()
      const holes = meter.holes(performance.now())
      const status: ProduceStatus = { produced, ends, acknowledged, holes, state, error, producers, repeats }
      process.send?.(status)
    }
    await new Promise((resolve) => setTimeout(resolve, TURN_MS))
  }
  await replicator.stop()
  await log.close()
  process.removeAllListeners('disconnect')
  process.disconnect?.()
}
