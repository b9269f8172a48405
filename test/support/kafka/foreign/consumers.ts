/**
 * Other people's consumers, as they come from their vendors: kcat, confluent-kafka and kafka-python, Java's own. Each is a process that reads
 * a topic from its beginning until it has `count` messages. None of our code decodes for them.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../../../src/native/addon.js'
import { kafkaClasses, pythonWithClients } from '../dist.js'
import { kcatMessages } from './kcat-output.js'

export const foreignKinds = ['kcat', 'confluent-kafka', 'kafka-python', 'java'] as const
export type ForeignKind = (typeof foreignKinds)[number]

export interface ForeignMessage {
  readonly key: string | null
  readonly partition: number
  readonly offset: number
  /** Milliseconds. */
  readonly timestamp: number
  readonly headers: Readonly<Record<string, string>>
  readonly value: Buffer
}

export interface ForeignOptions {
  readonly bootstrap: string
  readonly topic: string
  readonly count: number
  /** How long it may wait for all of them. */
  readonly timeoutMs?: number
  /** Further client properties under librdkafka's names, for the two kinds that are built on it: security, say. */
  readonly properties?: Readonly<Record<string, string>>
}

interface Line extends Omit<ForeignMessage, 'value'> {
  readonly value: string
}

const here = join(packageRoot, 'test', 'support', 'kafka', 'foreign')

/** One JSON object per line; the value in base64. */
const parseLines = (output: Buffer): ForeignMessage[] =>
  output
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
    .map((line) => ({ ...line, value: Buffer.from(line.value, 'base64') }))

async function command(
  kind: ForeignKind,
  { bootstrap, topic, count, properties = {} }: ForeignOptions,
): Promise<[string, string[]]> {
  const args = [bootstrap, topic, String(count)]
  switch (kind) {
    case 'kcat': {
      const format = '%p %o %T %K %S %h\\n%k%s'
      const given = Object.entries(properties).flatMap(([name, value]) => ['-X', `${name}=${value}`])
      return ['kcat', ['-b', bootstrap, '-C', '-t', topic, '-o', 'beginning', '-c', String(count), '-q', '-f', format, ...given]]
    }
    case 'confluent-kafka':
      return [await pythonWithClients(), [join(here, 'confluent_consumer.py'), ...args, JSON.stringify(properties)]]
    case 'kafka-python':
      return [await pythonWithClients(), [join(here, 'kafka_python_consumer.py'), ...args]]
    case 'java':
      return ['java', [await kafkaClasses(), '-Dkafka.log.level=off', join(here, 'Consumer.java'), ...args]]
  }
}

/** A process that was ended because of its time, or failed, has printed what it had; one that did not start has not. */
function outputOfFailed(error: unknown): { stdout: Buffer; stderr: Buffer } {
  if (
    error instanceof Error &&
    'stdout' in error &&
    Buffer.isBuffer(error.stdout) &&
    'stderr' in error &&
    Buffer.isBuffer(error.stderr)
  )
    return { stdout: error.stdout, stderr: error.stderr }
  throw error
}

/** What a foreign consumer read, by partition and offset; fails with what it said when it did not get `count` in time. */
export async function consumeForeign(kind: ForeignKind, options: ForeignOptions): Promise<ForeignMessage[]> {
  const [program, args] = await command(kind, options)
  const { stdout, stderr } = await promisify(execFile)(program, args, {
    encoding: 'buffer',
    maxBuffer: 1 << 28,
    timeout: options.timeoutMs ?? 30_000,
    killSignal: 'SIGKILL',
  }).catch((error: unknown) => outputOfFailed(error))
  const messages = kind === 'kcat' ? kcatMessages(stdout) : parseLines(stdout)
  if (messages.length !== options.count)
    throw new Error(`${kind} read ${messages.length} of ${options.count} messages: ${stderr.toString().slice(-2_000)}`)
  return messages.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
}
