/**
 * journal.append: append 64-byte records in batches of 256 and read them all back, no sync, against lmdb with one transaction per
 * batch. journal.append-sync: the same with one sync per batch on both sides (journal-append-sync.ts).
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { openLog } from '../../src/log/index.js'
import { encodeBatch, openNativeAppender, openNativeLog } from '../../src/native/log.js'
import { type Field, layout } from '../../src/wire/index.js'
import { compare, emit, type Run, scale } from './compare.js'
import { makeTrades, scratch } from './records.js'

const BATCH = 256
const RECORD = layout.records.trade.size
const price: Field = layout.records.trade.fields.price
const APPEND_KIND_BATCH = 1

export async function journalAppend(id: string, sync: boolean, batchesMax: number): Promise<void> {
  const batches = Math.max(4, Math.ceil(batchesMax * scale()))
  const directory = scratch('append')
  const records = makeTrades(BATCH, 1)
  const batch = encodeBatch(layout.records.trade.type, records, 0n)
  const values = Array.from({ length: BATCH }, (_, i) => Buffer.from(records.subarray(i * RECORD, (i + 1) * RECORD)))
  let run = 0

  async function ours(): Promise<Run> {
    run += 1
    const path = join(directory, `ours-${run}`)
    const log = openNativeLog(path, { durability: sync ? 2 : 0 })
    log.ensureTopic({ name: 'bench', partitions: 1, segmentBytes: 1 << 28 })
    const appender = openNativeAppender(log, 'bench', 0)
    for (let i = 0; i < batches; i++)
      if (appender.append(APPEND_KIND_BATCH, '', batch, 1) !== 0) throw new Error('append refused')
    appender.close()
    let sum = 0
    let seen = 0
    const reader = await openLog({ directory: path, readOnly: true })
    for await (const message of reader.read({ topics: ['bench'] })) {
      const view = message.view()
      if (view === undefined) throw new Error('not a batch')
      for (let i = 0; i < view.count; i++) sum += view.number(price, i)
      seen += view.count
    }
    await reader.close()
    rmSync(path, { recursive: true })
    return { operations: seen, hash: `${seen} ${sum}` }
  }

  async function theirs(): Promise<Run> {
    run += 1
    const path = join(directory, `lmdb-${run}`)
    mkdirSync(path)
    const db = open<Buffer, number>({
      path,
      encoding: 'binary',
      keyEncoding: 'uint32',
      noSync: !sync,
      mapSize: 4 * 2 ** 30,
      overlappingSync: false,
    })
    let key = 0
    for (let i = 0; i < batches; i++) {
      db.transactionSync(() => {
        for (const value of values) {
          db.putSync(key, value)
          key += 1
        }
      })
    }
    let sum = 0
    let seen = 0
    for (const { value } of db.getRange({})) {
      sum += Number(value.readBigInt64LE(price.offset))
      seen += 1
    }
    await db.close()
    rmSync(path, { recursive: true })
    return { operations: seen, hash: `${seen} ${sum}` }
  }

  emit(await compare({ id, peer: sync ? 'lmdb, one sync per batch' : 'lmdb, no sync', unit: '1/s', ours, theirs }))
}
