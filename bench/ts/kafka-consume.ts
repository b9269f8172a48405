/**
 * The consume benches: records a second that TypeScript sees and sums, from the beginning of a topic to its end. Ours: batches as
 * `read` hands them out, the price column summed over their views. Peer: node-rdkafka on a topic with one message per record,
 * `consume(5000)` in a loop, the price summed out of each buffer. Partitions are assigned on both sides: no group is waited for.
 */
import { openKafkaLog } from '../../src/log/index.js'
import { compare, emit, type Run } from './compare.js'
import { admin, deleteTopic, properties } from './kafka-cluster.js'
import { consumeEach } from './kafka-peer.js'
import { type Contents, contentsOf, verdict } from './kafka-produce.js'

export interface Filled {
  /** Kafka's. */
  readonly topic: string
  readonly partitions: number
  readonly made: Contents
}

export interface ConsumeBench {
  readonly id: string
  readonly ours: Filled
  /** As a log reads it: a name of the engine's, or `kafka:` and Kafka's own. */
  readonly readAs: string
  readonly theirs: Filled
  readonly note?: string
}

export async function consumeBench({ id, ours, readAs, theirs, note }: ConsumeBench): Promise<void> {
  const kafka = await openKafkaLog({ properties })
  const row = await compare({
    id,
    peer: 'node-rdkafka, one record a message',
    unit: '1/s',
    ours: async (): Promise<Run> => {
      const found = await contentsOf(kafka, readAs)
      return { operations: found.records, hash: verdict(found, ours.made) }
    },
    theirs: async (): Promise<Run> => {
      const { seconds, ...found } = await consumeEach(theirs.topic, theirs.partitions, theirs.made.records)
      return { operations: found.records, seconds, hash: verdict(found, theirs.made) }
    },
  })
  emit({ ...row, ...(note === undefined ? {} : { note }) })
  await kafka.close()
  for (const topic of new Set([ours.topic, theirs.topic])) await deleteTopic(topic)
  admin.close()
}
