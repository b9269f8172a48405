/**
 * kafka.produce-keyed: a view of 64-byte records, one a message, keyed by symbol, as the profile `throughput` sends it, against
 * node-rdkafka with messages of the same market.
 */
import { makeViewPublisher } from '../../src/native/publish.js'
import { compare, emit, scale } from './compare.js'
import { admin, properties } from './kafka-cluster.js'
import { Market } from './kafka-market.js'
import { keyedMessages } from './kafka-peer.js'
import { filledLog, freshGroup, produceByPeer, publishRound, TOPIC } from './kafka-produce.js'

const LOCAL_PARTITIONS = 4
const VIEW_PARTITIONS = 60
const BATCH = 256

const records = Math.ceil((2_000_000 * scale()) / BATCH) * BATCH
const market = new Market(LOCAL_PARTITIONS)
const log = await filledLog(market, LOCAL_PARTITIONS, records)
const made = { records, priceSum: market.priceSum }

const peersMarket = new Market(VIEW_PARTITIONS)
const messages = keyedMessages(peersMarket, Math.ceil(500_000 * scale()))
const peersMade = { records: messages.length, priceSum: peersMarket.priceSum }

emit(
  await compare({
    id: 'kafka.produce-keyed',
    peer: 'node-rdkafka',
    unit: '1/s',
    warmups: 3,
    ours: () => {
      const views = [{ topic: TOPIC, encoding: 'record' as const }]
      const publisher = makeViewPublisher(log.native.engine(), {
        properties,
        views,
        group: freshGroup(),
      })
      for (const { id, symbol, priceExponent, sizeExponent } of market.listed()) {
        publisher.addInstrument(id, symbol, priceExponent, sizeExponent)
      }
      return publishRound({ topic: TOPIC, readAs: `kafka:${TOPIC}`, partitions: VIEW_PARTITIONS, made, publisher })
    },
    theirs: () => produceByPeer(VIEW_PARTITIONS, messages, peersMade),
  }),
)
await log.close()
admin.close()
