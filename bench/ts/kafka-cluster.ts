/** What the kafka.* benches have in common: the broker of the run (bench/run.mjs starts it), and topics that are new for each round. */
import { type KafkaAdmin, openKafkaAdmin } from '../../src/native/kafka.js'

const bootstrap = process.env.BENCH_KAFKA
if (bootstrap === undefined)
  throw new Error('BENCH_KAFKA is not set: run this bench through bench/run.mjs, which starts a broker')

export const properties = { 'bootstrap.servers': bootstrap }
export const admin: KafkaAdmin = openKafkaAdmin(properties)

export async function deleteTopic(name: string): Promise<void> {
  await admin.deleteTopics([name])
  while ((await admin.topics([name])).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Empty, and every partition led. */
export async function freshTopic(name: string, partitions: number): Promise<void> {
  if ((await admin.topics([name])).length > 0) await deleteTopic(name)
  const config = {
    'retention.ms': '-1',
    'segment.index.bytes': '1048576',
    'message.timestamp.after.max.ms': '9223372036854775807',
  }
  const [outcome] = await admin.createTopics([{ name, partitions, replicationFactor: 1, config }])
  if (outcome?.error !== undefined) throw new Error(`topic ${name}: ${outcome.error}`)
  // The broker tells of a partition before it leads it.
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }))
  for (;;) {
    const ends = await admin.offsets(all).catch(() => [])
    if (ends.length === partitions) return
  }
}
