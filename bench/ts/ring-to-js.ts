/**
 * ring.to-js: records that a native thread hands to JavaScript, which reads id, price and seq of each. Ours: the consume loop's
 * thread copies batches from the log into the slab, one coalesced wake-up. Peer: one thread-safe-function call per tick.
 */

import { openLog } from '../../src/log/index.js'
import { encodeBatch } from '../../src/native/log.js'
import { type Field, layout } from '../../src/wire/index.js'
import { compare, emit, scale } from './compare.js'
import { peer } from './peer.js'
import { makeTrades, scratch } from './records.js'

const BATCH = 256
const ticks = Math.ceil((4_000_000 * scale()) / BATCH) * BATCH
const peerTicks = Math.ceil(ticks / 20 / BATCH) * BATCH

const log = await openLog({ directory: scratch('to-js') })
const topic = 'bench.trades'
await log.ensureTopic({ name: topic, partitions: 1, segmentBytes: 1 << 28 })
const producer = log.producer(topic, 0)
for (let first = 1; first <= ticks; first += BATCH) {
  const { status } = await producer.append({
    kind: 'batch',
    value: encodeBatch(layout.records.trade.type, makeTrades(BATCH, first), 0n),
  })
  if (status !== 'ok') throw new Error(`append: ${status}`)
}
producer.close()

const fields = layout.records.trade.fields
const id: Field = fields.instrument_id
const price: Field = fields.price
const seq: Field = fields.seq

/** What the sum must be: ids are 1, prices 3 × seq, seqs 1…n. */
function expected(count: number): number {
  let sum = 0
  for (let i = 1; i <= count; i++) sum = (sum + 7 + i * 3 + i) % 9007199254740
  return sum
}
const allSum = expected(ticks)
const peerSum = expected(peerTicks)

async function ours() {
  let sum = 0
  let seen = 0
  for await (const batch of log.read({ topics: [topic] })) {
    const view = batch.view()
    if (view === undefined) throw new Error('not a batch')
    for (let i = 0; i < view.count; i++)
      sum = (sum + view.number(id, i) * 7 + view.number(price, i) + view.number(seq, i)) % 9007199254740
    seen += view.count
  }
  return { operations: seen, hash: sum === allSum ? 'checksum equal' : `checksum ${sum}` }
}

async function theirs() {
  let sum = 0
  let seen = 0
  await peer.tickPerCall(peerTicks, (tickId, tickPrice, tickSeq) => {
    sum = (sum + tickId * 7 + tickPrice + tickSeq) % 9007199254740
    seen += 1
  })
  return { operations: seen, hash: sum === peerSum ? 'checksum equal' : `checksum ${sum}` }
}

emit(await compare({ id: 'ring.to-js', peer: 'one thread-safe-function call per tick', unit: '1/s', ours: ours, theirs }))
await log.close()
