/** The Java producer's own perf class as a peer: a JVM of its own, records of 64 bytes from a file, as many for warming up as are asked for. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { kafkaClasses } from '../../test/support/kafka/dist.js'
import { properties } from './kafka-cluster.js'
import { scratch } from './records.js'

const LINES = 10_000

/** Trades as 64 characters each: what a compressor meets in text. */
export function payloadFile(): string {
  const file = join(scratch('payload'), 'trades')
  const lines: string[] = []
  for (let i = 0; i < LINES; i++) {
    const price = (6_183_763 + ((i * 7919) % 2_001) - 1_000) / 100
    const size = ((i * 104_729) % 50_000) / 10_000
    const text = `COIN${1 + (i % 400)}USDT|${1_723_161_255_000 + i * 3}|${price.toFixed(2)}|${size.toFixed(4)}|${i % 2 === 0 ? 'buy' : 'sell'}|${i}`
    lines.push(text.padEnd(64, ' '))
  }
  writeFileSync(file, lines.join('\n'))
  return file
}

/** Records a second as the class reports them for what came after its warm-up. */
export async function producePerformance(topic: string, file: string, records: number, warmup: number): Promise<number> {
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
    ...['--num-records', String(records + warmup), '--warmup-records', String(warmup)],
    ...['--command-property', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)],
  ]
  const { stdout } = await promisify(execFile)('java', args)
  const found = [...stdout.matchAll(/^(\d+)[^,]* records sent, ([\d.]+) records\/sec/gm)].at(-1)
  if (found === null || found === undefined) throw new Error(`ProducerPerformance said:\n${stdout}`)
  return Number(found[2])
}
