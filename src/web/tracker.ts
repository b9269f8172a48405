/**
 * Whether a client has seen everything of each stream: (epoch, seq) must go on by one. Mirrors tw::StreamCursor.
 * Reads batches and gap notices, writes counts. Holes in a conflated subscription are wished for and counted apart.
 */
import { type BatchView, type Fields, fieldsOf, layout } from '../wire/index.js'

export interface Counts {
  /** Records accepted. */
  accepted: number
  /** Records already seen, left out. */
  repeats: number
  /** Records that were never seen and that no notice explains. */
  missing: number
  /** Records the gateway dropped for this client, by its own notices. */
  dropped: number
  /** Records passed over by conflation. */
  conflated: number
  /** Records the engine itself lost, by its gap records. */
  lostUpstream: number
  /** Holes in the venue's own data. */
  venueGaps: number
}

interface Cursor {
  epoch: number
  seq: number
}

const gap = layout.enums.gap_cause
const ours = new Set<number>([gap.ring_full, gap.retention, gap.corruption, gap.conflated, gap.overflow])
const gapType = layout.records.gap.type
const barType = layout.records.bar.type

const field = (fields: Fields, name: string) => {
  const found = fields[name]
  if (found === undefined) throw new Error(`layout.json has no field ${name}`)
  return found
}
const header = fieldsOf('trade')
const at = {
  seq: field(header, 'seq'),
  epoch: field(header, 'epoch'),
  instrument: field(header, 'instrument_id'),
  source: field(header, 'source'),
}
const barAt = { interval: field(fieldsOf('bar'), 'interval_ms'), basis: field(fieldsOf('bar'), 'basis') }
const gapAt = {
  type: field(fieldsOf('gap'), 'of_type'),
  basis: field(fieldsOf('gap'), 'of_basis'),
  cause: field(fieldsOf('gap'), 'cause'),
  count: field(fieldsOf('gap'), 'count'),
}

export class Tracker {
  readonly counts: Counts = { accepted: 0, repeats: 0, missing: 0, dropped: 0, conflated: 0, lostUpstream: 0, venueGaps: 0 }
  readonly #cursors = new Map<string, Cursor>()

  /** True: take the record. False: it is a repeat. */
  accept(batch: BatchView, index: number, kind: 'live' | 'snapshot' | 'conflated'): boolean {
    const { counts } = this
    const seq = batch.number(at.seq, index)
    const epoch = batch.number(at.epoch, index)
    const key = this.#key(batch, index)
    const cursor = this.#cursors.get(key)
    const isGap = batch.type === gapType
    if (isGap && !ours.has(batch.number(gapAt.cause, index))) {
      // A venue's hole carries the position before it and moves nothing.
      if (cursor !== undefined && (epoch < cursor.epoch || (epoch === cursor.epoch && seq < cursor.seq))) return this.#repeat()
      counts.venueGaps++
      counts.accepted++
      return true
    }
    if (cursor === undefined) {
      this.#cursors.set(key, { epoch, seq })
    } else {
      if (epoch < cursor.epoch || (epoch === cursor.epoch && seq <= cursor.seq)) return this.#repeat()
      const hole = epoch === cursor.epoch ? seq - cursor.seq - 1 : seq - 1
      if (kind === 'conflated') counts.conflated += hole
      else counts.missing += hole
      cursor.epoch = epoch
      cursor.seq = seq
    }
    if (isGap) {
      const count = batch.big(gapAt.count, index)
      const known = count > 0n && count < 0xffff_ffffn ? Number(count) : 1
      counts.lostUpstream += known
      const moved = this.#cursors.get(key)
      if (moved !== undefined) moved.seq = seq + known - 1
    }
    counts.accepted++
    return true
  }

  /** A gap notice of the gateway: what it dropped for this client; the stream goes on behind `last`. */
  notice(entry: GapNotice): void {
    this.counts.dropped += entry.count - (entry.gapRecords ?? 0)
    this.counts.lostUpstream += entry.lost ?? 0
    const records: Readonly<Record<string, { readonly type: number } | undefined>> = layout.records
    const type = records[entry.type]?.type ?? 0
    const bases: Readonly<Record<string, number | undefined>> = layout.enums.bar_basis
    const bar = type === barType ? `/${entry.intervalMs ?? 0}/${bases[entry.basis ?? ''] ?? 0}` : ''
    const key = `${entry.instrumentId}/${type}/${entry.source}${bar}`
    const cursor = this.#cursors.get(key)
    if (cursor === undefined) this.#cursors.set(key, { ...entry.last })
    else if (entry.last.epoch > cursor.epoch || (entry.last.epoch === cursor.epoch && entry.last.seq > cursor.seq)) {
      if (entry.first.epoch === cursor.epoch) this.counts.missing += Math.max(0, entry.first.seq - cursor.seq - 1)
      cursor.epoch = entry.last.epoch
      cursor.seq = entry.last.seq
    }
  }

  #repeat(): false {
    this.counts.repeats++
    return false
  }

  #key(batch: BatchView, index: number): string {
    const stream = `${batch.number(at.instrument, index)}/`
    const source = batch.number(at.source, index)
    if (batch.type === gapType) {
      const type = batch.number(gapAt.type, index)
      return `${stream}${type}/${source}${type === barType ? `/0/${batch.number(gapAt.basis, index)}` : ''}`
    }
    const bar = batch.type === barType ? `/${batch.number(barAt.interval, index)}/${batch.number(barAt.basis, index)}` : ''
    return `${stream}${batch.type}/${source}${bar}`
  }
}

export interface GapNotice {
  readonly instrumentId: number
  readonly type: string
  readonly source: number
  readonly intervalMs?: number
  readonly basis?: string
  readonly first: Cursor
  readonly last: Cursor
  /** Records dropped, gap records among them. */
  readonly count: number
  readonly gapRecords?: number
  /** Records that the engine itself had lost, by the gap records that were dropped. */
  readonly lost?: number
}
