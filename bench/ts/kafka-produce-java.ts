/** kafka.produce-java: the engine's topic at 4 partitions against ProducerPerformance with 64-byte records, timed by itself behind its warm-up. */
import { compare, emit, type Run, scale } from './compare.js'
import { admin, deleteTopic, freshTopic } from './kafka-cluster.js'
import { payloadFile, producePerformance } from './kafka-java.js'
import { ALL_THERE, Replication, TOPIC } from './kafka-produce.js'

const PARTITIONS = 4
const records = Math.ceil(2_000_000 * scale())
const warmup = Math.ceil(records / 2)

const replication = await Replication.of(PARTITIONS, 4_000_000 * scale())
const file = payloadFile()

async function theirs(): Promise<Run> {
  await freshTopic(TOPIC, PARTITIONS)
  const perSecond = await producePerformance(TOPIC, file, records, warmup)
  const ends = await admin.offsets(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition })))
  const found = ends.reduce((sum, { end }) => sum + end, 0)
  await deleteTopic(TOPIC)
  const hash = found === records + warmup ? ALL_THERE : `${found} of ${records + warmup} records`
  return { operations: records, seconds: records / perSecond, hash }
}

const row = await compare({
  id: 'kafka.produce-java',
  peer: 'ProducerPerformance',
  unit: '1/s',
  ours: () => replication.run(),
  warmups: 3,
  theirs,
})
emit({ ...row, note: replication.note })
await replication.close()
admin.close()
