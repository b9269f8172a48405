/**
 * kafka.lag: 50,000 ticks/s from a local log through the replicator, the broker and a consumer group to a TypeScript handler, all on
 * this machine: from when a tick was due to the handler that has its batch. The value is the 99th of a hundred, in milliseconds.
 */
import { openKafkaLog, openLog } from '../../src/log/index.js'
import { makeReplicator } from '../../src/native/publish.js'
import { type Field, layout } from '../../src/wire/index.js'
import { emit, scale } from './compare.js'
import { admin, deleteTopic, freshTopic, properties } from './kafka-cluster.js'
import { openLoop, TickAppender, wallMs } from './kafka-open-loop.js'
import { freshGroup, TOPIC } from './kafka-produce.js'
import { scratch } from './records.js'

const PARTITIONS = 4
const TICKS_PER_SECOND = 50_000
const DISTINCT = 20_000
const WARMUP = 400
const seconds = Math.max(1, 30 * scale())
const ticks = Math.ceil(TICKS_PER_SECOND * seconds)
const received: Field = layout.records.trade.fields.ts_recv

await freshTopic(`${TOPIC}.batch`, PARTITIONS)
const log = await openLog({ directory: scratch('lag') })
await log.ensureTopic({ name: TOPIC, partitions: PARTITIONS })
const kafka = await openKafkaLog({ properties })
const replicator = makeReplicator(log.native.engine(), { properties, topics: [TOPIC] })
await replicator.start()

const lags = new Float64Array(ticks)
let seen = -WARMUP
let batches = 0
const consumer = await kafka.consumer({
  group: freshGroup(),
  topics: [TOPIC],
  handler: async (batch) => {
    const view = batch.view()
    if (view === undefined) throw new Error('not a batch')
    const now = wallMs()
    for (let i = 0; i < view.count; i++) {
      if (seen >= 0) lags[seen] = now - view.number(received, i) / 1e6
      seen++
    }
    batches++
  },
})
const until = async (count: number): Promise<void> => {
  while (seen < count) await Promise.race([consumer.failed, new Promise((resolve) => setTimeout(resolve, 5))])
}

// The group is formed and every partition flows before the clock starts.
const appender = new TickAppender(log.native, TOPIC, PARTITIONS, DISTINCT)
appender.append(0, WARMUP, () => wallMs())
await until(0)
await openLoop(ticks, TICKS_PER_SECOND, (first, next, dueMs) => appender.append(first, next, dueMs))
await until(ticks)
if (seen !== ticks) throw new Error(`${seen} of ${ticks} ticks came`)

await consumer.stop()
await replicator.stop()
appender.close()
await kafka.close()
await log.close()
await deleteTopic(`${TOPIC}.batch`)
admin.close()
const sorted = lags.sort()
const at = (share: number): number => sorted[Math.floor((ticks - 1) * share)] as number
emit({
  id: 'kafka.lag',
  value: at(0.99),
  better: 'less',
  unit: 'ms',
  hash: `${ticks} ticks`,
  note: `p99 over ${seconds.toFixed(0)} s, p50 ${at(0.5).toPrecision(3)} ms, max ${at(1).toPrecision(3)} ms, ${(ticks / batches).toFixed(0)} records a message`,
})
