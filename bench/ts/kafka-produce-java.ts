/**
 * kafka.produce-java: the engine's topic at 4 partitions against ProducerPerformance with 64-byte records. Both clocks hold the whole
 * run: ours the publisher's start, its connection and its look at the topic's end, the class's (its own report) the JVM's warm-up.
 * kafka.produce-java-warm is what the same runs did once they were warm: ours behind the first acknowledgement, the class behind half of its
 * records.
 */
import { compare, emit, median, pairs, type Run, scale } from './compare.js'
import { admin, deleteTopic, freshTopic } from './kafka-cluster.js'
import { payloadFile, producePerformance } from './kafka-java.js'
import { ALL_THERE, Replication, TOPIC } from './kafka-produce.js'

const PARTITIONS = 4
const records = 2 * Math.ceil(1_000_000 * scale())

const replication = await Replication.of(PARTITIONS, 4_000_000 * scale())
const file = payloadFile()
const warm = { ours: [] as number[], theirs: [] as number[] }

async function ours(): Promise<Run> {
  const run = await replication.run()
  warm.ours.push(run.records / run.seconds)
  return { operations: replication.records, seconds: run.wholeSeconds, hash: run.hash }
}

async function theirs(): Promise<Run> {
  await freshTopic(TOPIC, PARTITIONS)
  const perSecond = await producePerformance(TOPIC, file, records, records / 2)
  const ends = await admin.offsets(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition })))
  const found = ends.reduce((sum, { end }) => sum + end, 0)
  await deleteTopic(TOPIC)
  warm.theirs.push(perSecond.warm)
  const hash = found === records ? ALL_THERE : `${found} of ${records} records`
  return { operations: records, seconds: records / perSecond.whole, hash }
}

const row = await compare({ id: 'kafka.produce-java', peer: 'ProducerPerformance', unit: '1/s', warmups: 3, ours, theirs })
emit({ ...row, note: replication.note })

const [our, their] = [warm.ours.slice(-pairs()), warm.theirs.slice(-pairs())]
const ratios = our.map((rate, i) => rate / (their[i] as number))
emit({
  ...row,
  id: 'kafka.produce-java-warm',
  ratio: median(ratios),
  min: Math.min(...ratios),
  max: Math.max(...ratios),
  ours: median(our),
  theirs: median(their),
})
await replication.close()
admin.close()
