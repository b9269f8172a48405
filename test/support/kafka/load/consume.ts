/** A member of a consumer group on the cluster: writes each batch it had to its tap before the batch stands. */
import { openSync, writeSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { openKafkaLog } from '../../../../src/log/index.js'
import { HoleMeter } from './holes.js'
import { type ConsumeOrders, type ConsumeStatus, HANG_MS, type Order, type TapLine } from './orders.js'

const TELL_MS = 20

export async function consume(orders: ConsumeOrders): Promise<void> {
  const { topic } = orders
  const tapFile = openSync(orders.tap, 'a')
  const tap = (line: TapLine): void => void writeSync(tapFile, `${JSON.stringify(line)}\n`)
  const properties = { 'bootstrap.servers': orders.brokers }
  const log = await openKafkaLog({ properties, groupProtocol: orders.groupProtocol })
  const partitions = (await log.topics()).find(({ name }) => name === topic)?.partitions ?? 0
  const handled = Array.from({ length: partitions }, () => 0)
  let meter = new HoleMeter(partitions, performance.now())
  const consumer = await log.consumer({
    group: orders.group,
    topics: [topic],
    handler: async ({ partition, offset, count }, { generation }) => {
      tap({ k: 'batch', partition, generation, offset })
      handled[partition] = offset + count
      meter.happened(partition, performance.now())
    },
    onAssigned: ({ partition, generation, offset }) => tap({ k: 'assigned', partition, generation, offset }),
    onHole: (hole) => tap({ k: 'note', text: `hole ${JSON.stringify(hole)}` }),
    onError: (error) => tap({ k: 'note', text: String(error) }),
  })
  consumer.failed.catch((error: unknown) => {
    console.error(error)
    process.exit(4)
  })
  const tell = (): void => {
    const assigned = consumer.assigned.map(({ partition }) => partition).toSorted((a, b) => a - b)
    const status: ConsumeStatus = { assigned, handled, holes: meter.holes(performance.now()) }
    process.send?.(status)
  }
  const telling = setInterval(tell, TELL_MS)
  const stop = async (): Promise<void> => {
    clearInterval(telling)
    await consumer.stop()
    await log.close()
    process.removeAllListeners('disconnect')
    process.disconnect?.()
  }
  process.on('message', (order: Order) => {
    if (order === 'measure') meter = new HoleMeter(partitions, performance.now())
    else if (order === 'stop') void stop()
    else if (order === 'hang') {
      const until = performance.now() + HANG_MS
      while (performance.now() < until);
    }
  })
}
