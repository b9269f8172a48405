/**
 * Batches read in place: a view over the bytes of a TWB1 batch, no object per record. Works in Node and in browsers.
 * Reads bytes of the log, the gateway and captures; writes nothing. Fields are numbers where they fit 53 bits exactly.
 */
import { ByteBuffer } from 'flatbuffers'
import { layout } from './layout.js'

export type RecordName = keyof typeof layout.records
export type FieldKind = 'u8' | 'u16' | 'u32' | 'u64' | 'i64'
export interface Field {
  readonly kind: FieldKind
  readonly offset: number
  readonly meaning?: string
}
export type Fields = Readonly<Record<string, Field>>

/** "No such value" of prices and sizes. */
export const NO_PRICE = BigInt(layout.no_price)

const recordNames: (RecordName | undefined)[] = []
for (const [name, record] of Object.entries(layout.records)) recordNames[record.type] = name as RecordName

/** The record's name by its type number; undefined for a type this build does not know. */
export const recordName = (type: number): RecordName | undefined => recordNames[type]

/** Fields of a record type by name: offset and kind. */
export const fieldsOf = (name: RecordName): Fields => layout.records[name].fields as Fields

export class BatchFormatError extends Error {
  static readonly code = 'MD_BATCH_FORMAT'
  readonly code = BatchFormatError.code
  override readonly name = 'BatchFormatError'
}

const slots = layout.envelope
const littleEndian = true

export class BatchView {
  readonly name: RecordName
  readonly type: number
  readonly count: number
  readonly recordSize: number
  readonly origin: bigint
  readonly tsAppend: bigint
  readonly tsRecvFirst: bigint
  readonly tsEventMax: bigint
  /** The records' bytes, one after the other. */
  readonly bytes: Uint8Array
  /** The whole message. */
  readonly message: Uint8Array
  readonly #data: DataView

  /** Throws BatchFormatError when the bytes are not a whole batch of a known type. */
  constructor(message: Uint8Array) {
    if (message.byteLength < 16) throw new BatchFormatError(`a batch has at least 16 bytes, this has ${message.byteLength}`)
    this.message = message
    const buffer = new ByteBuffer(message)
    if (!buffer.__has_identifier(slots.identifier)) throw new BatchFormatError('the file identifier is not TWB1')
    const table = buffer.readInt32(0)
    const size = message.byteLength
    if (table < 8 || table + 4 > size) throw new BatchFormatError('the root table lies outside')
    const vtable = table - buffer.readInt32(table)
    if (vtable < 0 || vtable + 4 > size || vtable + buffer.readInt16(vtable) > size)
      throw new BatchFormatError('the vtable lies outside')
    const at = (slot: number, width: number): number => {
      const offset = buffer.__offset(table, slot)
      if (offset === 0 || table + offset + width > size) throw new BatchFormatError(`field ${slot} is missing`)
      return table + offset
    }
    this.type = buffer.readUint8(at(slots.type, 1))
    const name = recordName(this.type)
    if (name === undefined) throw new BatchFormatError(`record type ${this.type} is not known to this build`)
    this.name = name
    this.recordSize = layout.records[name].size
    this.count = buffer.readUint32(at(slots.count, 4))
    this.origin = buffer.readUint64(at(slots.origin, 8))
    this.tsAppend = buffer.readUint64(at(slots.ts_append, 8))
    this.tsRecvFirst = buffer.readUint64(at(slots.ts_recv_first, 8))
    this.tsEventMax = buffer.readUint64(at(slots.ts_event_max, 8))
    const reference = at(slots[name], 4)
    const vector = reference + buffer.readUint32(reference)
    const bytes = this.count * this.recordSize
    if (vector + 4 > size || buffer.readUint32(vector) !== this.count || vector + 4 + bytes > size) {
      throw new BatchFormatError(`${this.count} records of ${this.recordSize} bytes do not fit ${size} bytes`)
    }
    this.bytes = message.subarray(vector + 4, vector + 4 + bytes)
    this.#data = new DataView(this.bytes.buffer, this.bytes.byteOffset, bytes)
  }

  /** A 64-bit field exactly. */
  big(field: Field, index: number): bigint {
    const at = index * this.recordSize + field.offset
    return field.kind === 'i64' ? this.#data.getBigInt64(at, littleEndian) : this.#data.getBigUint64(at, littleEndian)
  }

  /** Any field as a number, without allocating: exact up to 2^53, rounded beyond. */
  number(field: Field, index: number): number {
    const at = index * this.recordSize + field.offset
    switch (field.kind) {
      case 'u8':
        return this.#data.getUint8(at)
      case 'u16':
        return this.#data.getUint16(at, littleEndian)
      case 'u32':
        return this.#data.getUint32(at, littleEndian)
      case 'u64':
        return this.#data.getUint32(at + 4, littleEndian) * 4294967296 + this.#data.getUint32(at, littleEndian)
      case 'i64':
        return this.#data.getInt32(at + 4, littleEndian) * 4294967296 + this.#data.getUint32(at, littleEndian)
    }
  }

  /** The bytes of one record. */
  record(index: number): Uint8Array {
    return this.bytes.subarray(index * this.recordSize, (index + 1) * this.recordSize)
  }

  /** A copy that stays valid when the slab under the view is used again. */
  copy(): BatchView {
    return new BatchView(this.message.slice())
  }
}
