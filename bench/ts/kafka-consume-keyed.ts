/** kafka.consume-keyed: a view, one 64-byte record a message, on both sides the same topic. Our reader joins the records into batches. */
import { scale } from './compare.js'
import { freshTopic } from './kafka-cluster.js'
import { consumeBench } from './kafka-consume.js'
import { Market } from './kafka-market.js'
import { keyedMessages, produceEach } from './kafka-peer.js'
import { TOPIC } from './kafka-produce.js'

const PARTITIONS = 60
const records = Math.ceil(1_000_000 * scale())

const market = new Market(PARTITIONS)
await freshTopic(TOPIC, PARTITIONS)
await produceEach(TOPIC, keyedMessages(market, records))
const filled = { topic: TOPIC, partitions: PARTITIONS, made: { records, priceSum: market.priceSum } }
await consumeBench({ id: 'kafka.consume-keyed', ours: filled, readAs: `kafka:${TOPIC}`, theirs: filled })
