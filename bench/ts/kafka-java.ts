/** The Java producer's own perf class as a peer: a JVM of its own, records of 64 bytes from a file, as many for warming up as are asked for. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { layout } from '../../src/wire/index.js'
import { kafkaClasses } from '../../test/support/kafka/dist.js'
import { properties } from './kafka-cluster.js'
import { Market, RECORD_BYTES } from './kafka-market.js'
import { scratch } from './records.js'

const LINES = 10_000
const { ts_event, ts_recv, seq, price, size, side, trade_id } = layout.records.trade.fields

/** The bench's own trades as text of 64 characters: the class cannot read bytes. A payload that says less would compress better than ours. */
export function payloadFile(): string {
  const file = join(scratch('payload'), 'trades')
  const bytes = new Uint8Array(LINES * RECORD_BYTES)
  const symbols = new Market(1).write(bytes)
  const view = new DataView(bytes.buffer)
  const lines = symbols.map((symbol, i) => {
    const at = i * RECORD_BYTES
    const event = view.getBigUint64(at + ts_event.offset, true)
    const transit = view.getBigUint64(at + ts_recv.offset, true) - event
    const [number, ticks, lots, trade] = [
      view.getUint32(at + seq.offset, true),
      view.getBigInt64(at + price.offset, true),
      view.getBigInt64(at + size.offset, true),
      view.getBigUint64(at + trade_id.offset, true),
    ]
    return `${event}|${transit}|${ticks}|${lots}|${view.getUint8(at + side.offset)}|${trade}|${number}|${symbol}`
      .padEnd(RECORD_BYTES, ' ')
      .slice(0, RECORD_BYTES)
  })
  writeFileSync(file, lines.join('\n'))
  return file
}

/** What the class says of a run. */
export interface Performance {
  /** Records a second of the whole run, the JVM's warm-up included. */
  readonly whole: number
  /** Of what came behind the first `warmup` records. */
  readonly warm: number
}

export async function producePerformance(topic: string, file: string, records: number, warmup: number): Promise<Performance> {
  const settings = {
    ...properties,
    acks: 'all',
    'enable.idempotence': true,
    'compression.type': 'snappy',
    'linger.ms': 100,
    'batch.size': 131_072,
  }
  const args = [
    '-Xmx512m',
    await kafkaClasses(),
    'org.apache.kafka.tools.ProducerPerformance',
    ...['--topic', topic, '--throughput', '-1', '--payload-file', file],
    ...['--num-records', String(records), '--warmup-records', String(warmup)],
    ...['--command-property', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)],
  ]
  const { stdout } = await promisify(execFile)('java', args)
  const [whole, warm] = [...stdout.matchAll(/^(\d+)[^,]* records sent, ([\d.]+) records\/sec/gm)]
    .slice(-2)
    .map((found) => Number(found[2]))
  if (whole === undefined || warm === undefined) throw new Error(`ProducerPerformance said:\n${stdout}`)
  return { whole, warm }
}
