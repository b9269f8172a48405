/** kafka.consume-batched: the engine's topic as the replicator wrote it, against the same market with one record a message. */
import { makeReplicator } from '../../src/native/publish.js'
import { scale } from './compare.js'
import { freshTopic, properties } from './kafka-cluster.js'
import { consumeBench } from './kafka-consume.js'
import { Market } from './kafka-market.js'
import { keyedMessages, produceEach } from './kafka-peer.js'
import { filledLog, freshGroup, publishAll, TOPIC } from './kafka-produce.js'

const PARTITIONS = 4
const BATCH = 256
const batched = Math.ceil((4_000_000 * scale()) / BATCH) * BATCH
const keyed = Math.ceil(1_000_000 * scale())

const market = new Market(PARTITIONS)
const log = await filledLog(market, PARTITIONS, batched)
await freshTopic(`${TOPIC}.batch`, PARTITIONS)
const { messages } = await publishAll(
  makeReplicator(log.native.engine(), { properties, topics: [TOPIC], group: freshGroup() }),
  batched,
)
await log.close()

const peersMarket = new Market(PARTITIONS)
await freshTopic(TOPIC, PARTITIONS)
await produceEach(TOPIC, keyedMessages(peersMarket, keyed))
await consumeBench({
  id: 'kafka.consume-batched',
  ours: { topic: `${TOPIC}.batch`, partitions: PARTITIONS, made: { records: batched, priceSum: market.priceSum } },
  readAs: TOPIC,
  theirs: { topic: TOPIC, partitions: PARTITIONS, made: { records: keyed, priceSum: peersMarket.priceSum } },
  note: `${(batched / messages).toFixed(0)} records a message`,
})
