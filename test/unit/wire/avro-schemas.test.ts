/** The Avro schemas: made of the record's layout, never broken for a reader, the same fields as the reference data's own definition. */
import { readdirSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { definitionSchema } from '../../../src/model/instrument.js'
import { loadTopics } from '../../../src/model/topics-file.js'
import { layout } from '../../../src/wire/layout.js'

interface AvroField {
  name: string
  type: unknown
  default?: unknown
  doc?: string
}
interface AvroRecord {
  type: 'record'
  name: string
  fields: AvroField[]
}

/** Scripts are plain JavaScript: they run before anything is compiled. */
const script = async (name: string): Promise<unknown> => import(pathToFileURL(`scripts/${name}`).href)
const { avroSchemas, avscText, avroReference } = (await script('avro-schemas.mjs')) as {
  avroSchemas: (layout: unknown) => Map<string, AvroRecord>
  avscText: (schema: AvroRecord) => string
  avroReference: (schemas: Map<string, AvroRecord>) => string
}
const { backwardProblems } = (await script('avro-backward.mjs')) as {
  backwardProblems: (before: unknown, after: unknown) => string[]
}

const folder = 'config/schema/avro'
const committed = (name: string): AvroRecord => JSON.parse(readFileSync(`${folder}/${name}.avsc`, 'utf8')) as AvroRecord
const generated = avroSchemas(layout)
/** The trade's schema if the record had another field of that name, or none. */
function withTradeField(name: string, field: object | undefined): AvroRecord | undefined {
  const { [name]: _, ...others } = layout.records.trade.fields as Readonly<Record<string, object>>
  const fields = field === undefined ? others : { ...others, [name]: field }
  return avroSchemas({ ...layout, records: { ...layout.records, trade: { ...layout.records.trade, fields } } }).get('trade')
}

test('what is committed is what the layout gives, the reference too', () => {
  expect(readdirSync(folder).toSorted()).toEqual([...generated.keys()].map((name) => `${name}.avsc`).toSorted())
  for (const [name, schema] of generated) expect(readFileSync(`${folder}/${name}.avsc`, 'utf8')).toBe(avscText(schema))
  expect(readFileSync('docs/reference/avro.md', 'utf8')).toBe(avroReference(generated))
})

test('the key comes first and the event id last', () => {
  for (const [name, { fields }] of generated) {
    expect(fields[0]).toMatchObject({ name: 'symbol', type: 'string' })
    if (name !== 'reference_data') expect(fields.at(-1)).toMatchObject({ name: 'event_id', type: 'string' })
    expect(new Set(fields.map((f) => f.name)).size).toBe(fields.length)
  }
})

test('a field that may have no value is null by default, with null as the first branch', () => {
  for (const { fields } of generated.values())
    for (const f of fields) if (Array.isArray(f.type)) expect([f.name, f.type[0], f.default]).toEqual([f.name, 'null', null])
})

test('every schema that the topics file names and a record has is there', () => {
  const named = new Set(
    loadTopics('config/topics.yaml')
      .list()
      .filter((t) => t.view)
      .map((t) => t.schemaName),
  )
  expect(named.size).toBeGreaterThan(2)
  for (const name of named) expect([...generated.keys()]).toContain(name)
})

test('the place of an enumeration’s symbol is its number in the record', () => {
  const side = committed('trade').fields.find((f) => f.name === 'side')?.type as { symbols: string[] }
  for (const [symbol, value] of Object.entries(layout.enums.side)) expect(side.symbols[value]).toBe(symbol)
  const action = committed('level').fields.find((f) => f.name === 'action')?.type as { symbols: string[] }
  for (const [symbol, value] of Object.entries(layout.enums.level_action)) expect(action.symbols[value]).toBe(symbol)
})

test('reference data has the fields of a definition', () => {
  const names = committed('reference_data').fields.map((f) => f.name)
  expect(names.toSorted()).toEqual(Object.keys(definitionSchema.shape).toSorted())
})

test('the committed schemas can be read by the generated ones', () => {
  for (const [name, schema] of generated) expect(backwardProblems(committed(name), schema)).toEqual([])
})

test.each([
  ['a field that is gone', 'trade_id', undefined, /trade_id: a field without a default was taken away/],
  ['a new field without a default', 'venue', { kind: 'u8', offset: 63 }, /venue: a new field needs a default/],
  ['a narrower type', 'conditions', { kind: 'u16', offset: 56 }, /conditions: long cannot be read as int/],
  ['another enumeration', 'side', { kind: 'u8', offset: 62, meaning: 'book_side' }, /side: Side is now called BookSide/],
  ['a number that becomes a time', 'trade_id', { kind: 'u64', offset: 48, meaning: 'time' }, /trade_id: long is not among/],
])('a change of the record that breaks a reader is found: %s', (_what, name, field, problem) => {
  expect(backwardProblems(committed('trade'), withTradeField(name, field)).join('\n')).toMatch(problem)
})

const record = (...fields: unknown[]) => ({ type: 'record', name: 'R', namespace: 'tickwire', fields })
const enumeration = (...symbols: string[]) => ({ type: 'enum', name: 'E', symbols })
test.each([
  ['a new field with a default', record(), record({ name: 'a', type: ['null', 'string'], default: null }), []],
  ['a field that may now be null', record({ name: 'a', type: 'long' }), record({ name: 'a', type: ['null', 'long'] }), []],
  [
    'a field that may no longer be null',
    record({ name: 'a', type: ['null', 'long'] }),
    record({ name: 'a', type: 'long' }),
    ['a: null cannot be read as long'],
  ],
  ['a wider integer', record({ name: 'a', type: 'int' }), record({ name: 'a', type: 'long' }), []],
  ['a new symbol', record({ name: 'a', type: enumeration('x') }), record({ name: 'a', type: enumeration('x', 'y') }), []],
  [
    'a symbol that is gone',
    record({ name: 'a', type: enumeration('x', 'y') }),
    record({ name: 'a', type: enumeration('x') }),
    ['a: the symbol y was taken away'],
  ],
  [
    'a symbol that moved',
    record({ name: 'a', type: enumeration('x', 'y') }),
    record({ name: 'a', type: enumeration('y', 'x') }),
    ['a: the symbol x has another number', 'a: the symbol y has another number'],
  ],
  [
    'a logical type that is gone',
    record({ name: 'a', type: { type: 'long', logicalType: 'timestamp-nanos' } }),
    record({ name: 'a', type: 'long' }),
    ['a: the meaning timestamp-nanos became undefined'],
  ],
  [
    'items of an array',
    record({ name: 'a', type: { type: 'array', items: 'string' } }),
    record({ name: 'a', type: { type: 'array', items: 'int' } }),
    ['a[]: string cannot be read as int'],
  ],
])('the BACKWARD rule: %s', (_what, before, after, problems) => {
  expect(backwardProblems(before, after)).toEqual(problems)
})
