/**
 * What a reader does with a record of a stream: drops what is not above the last accepted (epoch, seq). Mirrors StreamCursor of
 * native/model/stream.h. Reads views, writes nothing; a map entry per stream.
 */

import { type BatchView, type Fields, fieldsOf, type RecordName, recordName } from '../wire/index.js'
import { layout } from '../wire/layout.js'

interface Cursor {
  last: bigint
  gap: string
}

/** Causes that are our own loss: (epoch, seq) is the first missing one. */
const OUR_CAUSES = new Set([3, 5, 6, 7, 8])
const UNKNOWN_COUNT = 0xffffffffffffffffn

const of = (fields: Fields, name: string, view: BatchView, index: number): number => {
  const field = fields[name]
  return field === undefined ? 0 : view.number(field, index)
}
const bigOf = (fields: Fields, name: string, view: BatchView, index: number): bigint => {
  const field = fields[name]
  return field === undefined ? 0n : view.big(field, index)
}

export class Dedup {
  readonly #streams = new Map<string, Cursor>()

  /** True: the record is new. False: a repeat, or what a zombie wrote after its successor. */
  accept(view: BatchView, index: number): boolean {
    const { name } = view
    if (name === 'clock' || name === 'status') return true
    const fields = fieldsOf(name)
    const position = (BigInt(of(fields, 'epoch', view, index)) << 32n) | BigInt(of(fields, 'seq', view, index))
    const cursor = this.#cursorOf(name, fields, view, index)
    if (name !== 'gap') {
      if (position <= cursor.last) return false
      cursor.last = position
      cursor.gap = ''
      return true
    }
    const count = bigOf(fields, 'count', view, index)
    if (OUR_CAUSES.has(of(fields, 'cause', view, index))) {
      if (position <= cursor.last) return false
      cursor.last = count === UNKNOWN_COUNT || count === 0n ? position : position + count - 1n
      cursor.gap = ''
      return true
    }
    if (position < cursor.last) return false
    const venue = `${bigOf(fields, 'venue_from', view, index)}-${bigOf(fields, 'venue_to', view, index)}`
    const hole = `${venue}-${of(fields, 'version', view, index)}`
    if (position === cursor.last && hole === cursor.gap) return false
    cursor.gap = hole
    return true
  }

  #cursorOf(name: RecordName, fields: Fields, view: BatchView, index: number): Cursor {
    const isGap = name === 'gap'
    const type = isGap ? of(fields, 'of_type', view, index) : layout.records[name].type
    const basis = isGap ? of(fields, 'of_basis', view, index) : of(fields, 'basis', view, index)
    const interval = recordName(type) === 'bar' && !isGap ? of(fields, 'interval_ms', view, index) : 0
    const parts = [of(fields, 'instrument_id', view, index), of(fields, 'source', view, index), type, basis, interval]
    const key = parts.join('/')
    let cursor = this.#streams.get(key)
    if (cursor === undefined) {
      cursor = { last: 0n, gap: '' }
      this.#streams.set(key, cursor)
    }
    return cursor
  }
}
