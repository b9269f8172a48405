/** Raw records for tests that push them into native code without a decoder. */
import { type Field, fieldsOf, layout, type RecordName } from '../../src/wire/index.js'

export class RecordWriter {
  #buffer = Buffer.alloc(1 << 16)
  #size = 0
  #seq = new Map<string, number>()
  #tsRecv = 0n
  records = 0

  /** One record: `values` by field name; epoch 1 and the stream's next seq unless told. ts_recv is the running maximum. */
  add(name: RecordName, values: Readonly<Record<string, bigint | number>>): void {
    const size = layout.records[name].size
    while (this.#size + size > this.#buffer.length)
      this.#buffer = Buffer.concat([this.#buffer, Buffer.alloc(this.#buffer.length)])
    const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset + this.#size, size)
    const ts = BigInt(values.ts_event ?? 0)
    if (ts > this.#tsRecv) this.#tsRecv = ts
    const stream = `${name}/${values.instrument_id ?? 0}/${values.source ?? 0}`
    const seq = (this.#seq.get(stream) ?? 0) + 1
    this.#seq.set(stream, seq)
    const all = { ts_recv: this.#tsRecv, epoch: 1, seq, type: layout.records[name].type, ...values }
    const fields = fieldsOf(name)
    for (const [key, value] of Object.entries(all)) {
      const field: Field | undefined = fields[key]
      if (field === undefined) throw new Error(`${name} has no field ${key}`)
      if (field.kind === 'u64') view.setBigUint64(field.offset, BigInt(value), true)
      else if (field.kind === 'i64') view.setBigInt64(field.offset, BigInt(value), true)
      else if (field.kind === 'u32') view.setUint32(field.offset, Number(value), true)
      else if (field.kind === 'u16') view.setUint16(field.offset, Number(value), true)
      else view.setUint8(field.offset, Number(value))
    }
    this.#size += size
    this.records++
  }

  /** The end of the source. */
  final(): void {
    this.add('clock', { ts_event: this.#tsRecv, flags: 1 << 9 })
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#size)
  }
}

/** Decimal text as an integer at 10^exponent. Throws when digits would be lost. */
export function scaled(text: string, exponent: number): bigint {
  const negative = text.startsWith('-')
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const places = -exponent
  if (fraction.length > places && /[^0]/.test(fraction.slice(places))) throw new Error(`${text} does not fit 1e${exponent}`)
  const value = BigInt(whole + fraction.slice(0, places).padEnd(places, '0'))
  return negative ? -value : value
}
