/**
 * Feed sessions in the log: `session opened` records in `tickwire.status`, keyed `{exchange}-{source}-{shard}`. A new epoch is
 * above every earlier one of its source, and stands in the log before the session's first record does.
 */
import { delay } from '../core/clock.js'
import { LogError } from '../core/errors.js'
import { encodeBatch } from '../native/log.js'
import { type Field, fieldsOf, layout } from '../wire/index.js'
import { topicOptions } from './registry-store.js'
import type { Runtime } from './runtime.js'

/** What opening a session needs of the runtime. */
export type SessionPorts = Pick<Runtime, 'local' | 'topics' | 'exchanges' | 'clock'>

export interface FeedSessionKey {
  readonly exchange: string
  readonly source: number
  readonly shard: number
}

const status = layout.records.status
/** Sessions of other shards open at the same moment, and one of them may be held up inside its append. */
const BUSY_TRIES = 100
const BUSY_WAIT_MS = 20

/** The highest epoch that the log knows of a source, whatever the shard, in messages before `end`; 0: none. */
async function highestEpoch(
  runtime: SessionPorts,
  exchangeNumber: number,
  source: number,
  end = Number.POSITIVE_INFINITY,
): Promise<number> {
  const { name } = runtime.topics.internalTopic('status')
  const fields = fieldsOf('status')
  let highest = 0
  for await (const batch of runtime.local.read({ topics: [name] })) {
    const view = batch.view()
    if (view?.name !== 'status' || batch.offset >= end) continue
    for (let i = 0; i < view.count; i++) {
      const number = (field: string): number => view.number(fields[field] as Field, i)
      if (number('exchange') === exchangeNumber && number('source') === source) highest = Math.max(highest, number('epoch'))
    }
  }
  return highest
}

/**
 * Opens a session: gives its epoch once the log has it. Shards of one source that open at once may choose the same one; who stands
 * first in the log has it, the others take a higher one, because an epoch is what tells the sessions of a source apart.
 */
export async function openFeedSession(runtime: SessionPorts, key: FeedSessionKey): Promise<number> {
  const config = runtime.topics.internalTopic('status')
  await runtime.local.ensureTopic(topicOptions(config))
  const exchange = runtime.exchanges.get(key.exchange)
  for (;;) {
    const now = runtime.clock.wallNs()
    const epoch = Math.max(Number(now / 1_000_000_000n), (await highestEpoch(runtime, exchange.number, key.source)) + 1)
    const value = encodeBatch(status.type, openingRecord(exchange.number, key, epoch, now), now)
    const message = { kind: 'batch', key: `${key.exchange}-${key.source}-${key.shard}`, value, tsRecv: now } as const
    let answer = await runtime.local.append(config.name, 0, message)
    for (let tries = 1; answer.status === 'busy' && tries < BUSY_TRIES; tries++) {
      await delay(runtime.clock, BUSY_WAIT_MS)
      answer = await runtime.local.append(config.name, 0, message)
    }
    if (answer.status !== 'ok') throw new LogError(`session of ${key.exchange}-${key.source}: the log answers ${answer.status}`)
    if ((await highestEpoch(runtime, exchange.number, key.source, answer.offset)) < epoch) return epoch
  }
}

function openingRecord(exchangeNumber: number, key: FeedSessionKey, epoch: number, now: bigint): Uint8Array {
  const record = new Uint8Array(status.size)
  const view = new DataView(record.buffer)
  view.setBigUint64(status.fields.ts_event.offset, now, true)
  view.setBigUint64(status.fields.ts_recv.offset, now, true)
  view.setUint32(status.fields.seq.offset, 1, true)
  view.setUint32(status.fields.epoch.offset, epoch, true)
  view.setUint8(status.fields.type.offset, status.type)
  view.setUint8(status.fields.source.offset, key.source)
  view.setUint8(status.fields.exchange.offset, exchangeNumber)
  view.setUint8(status.fields.kind.offset, layout.enums.status_kind.session_opened)
  view.setUint16(status.fields.shard.offset, key.shard, true)
  return record
}
