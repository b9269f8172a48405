/**
 * kafka.latency: from when a tick was due to its acknowledgement by the broker, p50, 50,000 ticks/s into one partition. Ours: appended to
 * a local log, which the replicator follows with the profile `latency`; the ticks of a message are taken as evenly spread between its
 * oldest and its newest. Peer: node-rdkafka, one message per tick, linger 1 ms. kafka.latency-4 is both at 4 partitions, where a
 * connection carries a request of each in turn. When 50,000/s is more than 60 % of what the peer can do, kafka.latency-60 is both at 60 %
 * of it.
 */
import { openLog } from '../../src/log/index.js'
import { makeReplicator } from '../../src/native/publish.js'
import { emit, median, pairs, scale } from './compare.js'
import { admin, deleteTopic, freshTopic, properties } from './kafka-cluster.js'
import { Market } from './kafka-market.js'
import { openLoop, TickAppender, wallMs } from './kafka-open-loop.js'
import { connectProducer, disconnected, keyedMessages, produceEach, turn } from './kafka-peer.js'
import { TOPIC } from './kafka-produce.js'
import { scratch } from './records.js'

const TICKS_PER_SECOND = 50_000
const SHARE_OF_CAPACITY = 0.6
const DISTINCT = 20_000
const LINGER_MS = 1
/** Pairs before those that count: the broker's JVM is slow until it is warm. */
const WARMUPS = scale() < 0.1 ? 0 : 2
const seconds = Math.max(0.3, 4 * scale())

interface Load {
  readonly perSecond: number
  readonly partitions: number
}

/** Milliseconds at the median. */
async function ours({ perSecond, partitions }: Load): Promise<number> {
  const ticks = Math.ceil(perSecond * seconds)
  await freshTopic(`${TOPIC}.batch`, partitions)
  const log = await openLog({ directory: scratch('latency') })
  await log.ensureTopic({ name: TOPIC, partitions })
  const appender = new TickAppender(log.native, TOPIC, partitions, DISTINCT)
  const replicator = makeReplicator(log.native.engine(), { properties, topics: [TOPIC], profile: 'latency' })
  await replicator.start()
  // What a session begins with is not its latency: the first acknowledgement of each partition comes before the clock starts.
  appender.append(0, partitions * 100, () => wallMs())
  await acknowledged()
  const before = replicator.stats()
  await openLoop(ticks, perSecond, (first, next, dueMs) => appender.append(first, next, dueMs))
  await acknowledged()
  const stats = replicator.stats()
  if (stats.records - before.records !== ticks) throw new Error(`${stats.records - before.records} of ${ticks} ticks were sent`)
  await replicator.stop()
  appender.close()
  await log.close()
  await deleteTopic(`${TOPIC}.batch`)
  return stats.ageNsP50 / 1e6

  async function acknowledged(): Promise<void> {
    for (;;) {
      const { state, error, messages, acknowledged, topics } = replicator.stats()
      if (state === 'blocked') throw new Error(error)
      if (messages > 0 && messages === acknowledged && topics.every(({ lag }) => lag === 0)) return
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

async function theirs({ perSecond, partitions }: Load): Promise<number> {
  const ticks = Math.ceil(perSecond * seconds)
  await freshTopic(TOPIC, partitions)
  const messages = keyedMessages(new Market(partitions), DISTINCT)
  const producer = await connectProducer(LINGER_MS)
  const latencies = new Float64Array(ticks)
  let delivered = -DISTINCT
  producer.on('delivery-report', (error, report) => {
    if (error) throw error
    if (delivered >= 0) latencies[delivered] = wallMs() - (report.opaque as number)
    delivered++
  })
  const send = (tick: number, dueMs: number) => {
    const { key, value } = messages[tick % DISTINCT] as (typeof messages)[number]
    producer.produce(TOPIC, null, value, key, undefined, dueMs)
  }
  for (let tick = 0; tick < DISTINCT; tick++) send(tick, 0)
  await reported(0)
  await openLoop(ticks, perSecond, (first, next, dueMs) => {
    for (let tick = first; tick < next; tick++) send(tick, dueMs(tick))
    producer.poll()
  })
  await reported(ticks)
  await disconnected(producer)
  await deleteTopic(TOPIC)
  return latencies.sort()[Math.floor(ticks / 2)] as number

  async function reported(count: number): Promise<void> {
    while (delivered < count) {
      producer.poll()
      await turn()
    }
  }
}

async function row(id: string, load: Load): Promise<void> {
  const ratios: number[] = []
  const our: number[] = []
  const their: number[] = []
  for (let pair = -WARMUPS; pair < pairs(); pair++) {
    const a = await ours(load)
    const b = await theirs(load)
    if (pair < 0) continue
    our.push(a)
    their.push(b)
    ratios.push(b / a)
  }
  emit({
    id,
    peer: `node-rdkafka at ${load.perSecond} ticks/s, linger ${LINGER_MS} ms, due time to ack, p50`,
    ratio: median(ratios),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    ours: median(our),
    theirs: median(their),
    unit: 'ms',
    hash: `${Math.ceil(load.perSecond * seconds)} acknowledgements`,
  })
}

await freshTopic(TOPIC, 1)
const probe = keyedMessages(new Market(1), Math.ceil(200_000 * Math.max(scale(), 0.05)))
const probed = await produceEach(TOPIC, probe, LINGER_MS)
const capacity = probed.delivered / probed.seconds
await deleteTopic(TOPIC)
await row('kafka.latency', { perSecond: TICKS_PER_SECOND, partitions: 1 })
await row('kafka.latency-4', { perSecond: TICKS_PER_SECOND, partitions: 4 })
const share = Math.floor(capacity * SHARE_OF_CAPACITY)
if (share < TICKS_PER_SECOND) await row('kafka.latency-60', { perSecond: share, partitions: 1 })
admin.close()
