import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createInstruments } from '../../../src/native/instruments.js'
import { encodeBatch } from '../../../src/native/log.js'
import { batchToJson, createRecordHash, layoutJson } from '../../../src/native/model.js'
import {
  BatchFormatError,
  BatchView,
  decimalText,
  decodeRecord,
  type Field,
  layout,
  type RecordName,
} from '../../../src/wire/index.js'

const ID = (1 << 24) | 1
const names = Object.keys(layout.records) as RecordName[]

function randomRecords(name: RecordName, seeds: Uint8Array, count: number): Uint8Array {
  const record = layout.records[name]
  const bytes = new Uint8Array(record.size * count)
  for (let i = 0; i < bytes.length; i++) bytes[i] = seeds[i % seeds.length]! ^ (i * 31)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < count; i++) {
    const at = i * record.size
    bytes[at + record.fields.type.offset] = record.type
    view.setUint32(at + record.fields.instrument_id.offset, i % 3 === 2 ? 77 : ID, true)
    // Text of a status is ASCII here: the two languages replace malformed UTF-8 differently.
    if (name === 'status') for (let j = 40; j < 96; j++) bytes[at + j] = j < 60 ? 65 + (j % 26) : 0
  }
  return bytes
}

describe('decoded records', () => {
  const instruments = createInstruments()
  instruments.add(ID, 'BTCUSDT', -4, -7)
  const lookup = (id: number) => (id === ID ? { symbol: 'BTCUSDT', priceExponent: -4, sizeExponent: -7 } : undefined)

  for (const name of names) {
    it(`${name}: TypeScript and C++ give the same object`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 8, maxLength: 64 }), fc.integer({ min: 1, max: 5 }), (seeds, count) => {
          const batch = encodeBatch(layout.records[name].type, randomRecords(name, seeds, count), 0n)
          const view = new BatchView(batch)
          const native = batchToJson(batch, instruments).trimEnd().split('\n')
          expect(view.count).toBe(count)
          for (let i = 0; i < count; i++) expect(JSON.stringify(decodeRecord(view, i, lookup))).toBe(native[i])
        }),
        { numRuns: 40 },
      )
    })
  }
})

describe('batch view', () => {
  const batch = encodeBatch(layout.records.trade.type, randomRecords('trade', new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]), 4), 0n)

  it('reads fields in place', () => {
    const view = new BatchView(batch)
    const field = layout.records.trade.fields.price as Field
    for (let i = 0; i < view.count; i++) expect(view.number(field, i)).toBe(Number(view.big(field, i)))
    expect(view.copy().record(2)).toEqual(view.record(2))
  })

  it('refuses what is not a whole batch', () => {
    expect(() => new BatchView(new Uint8Array(0))).toThrow(BatchFormatError)
    for (let size = 0; size < batch.length; size++) expect(() => new BatchView(batch.slice(0, size))).toThrow(BatchFormatError)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          new BatchView(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(BatchFormatError)
        }
      }),
    )
  })
})

describe('layout', () => {
  it('is what the addon prints', () => {
    expect(JSON.parse(layoutJson())).toEqual(layout)
    expect(JSON.parse(readFileSync('config/schema/layout.json', 'utf8'))).toEqual(layout)
  })
})

describe('record hash', () => {
  it('depends on contents', () => {
    const a = createRecordHash()
    const b = createRecordHash()
    a.add(encodeBatch(1, randomRecords('trade', new Uint8Array([1, 2, 3]), 1), 0n))
    b.add(encodeBatch(1, randomRecords('trade', new Uint8Array([1, 2, 4]), 1), 0n))
    expect(a.digest()).toMatch(/^[0-9a-f]{16}$/)
    expect(a.digest()).not.toBe(b.digest())
  })
})

describe('decimalText', () => {
  it('is exact and short', () => {
    expect(decimalText(6183763n, -2)).toBe('61837.63')
    expect(decimalText(-5n, -3)).toBe('-0.005')
    expect(decimalText(12n, 3)).toBe('12000')
    expect(decimalText(100n, -2)).toBe('1')
  })
})
