// Avro schemas out of the record layout: a pure function of config/schema/layout.json, called by scripts/generate.mjs.
// What the engine's own layout has no field for (symbol, exponents, event id) is added here, once for every record.

const NAMESPACE = 'tickwire'
const headerNames = ['instrument_id', 'ts_event', 'ts_recv', 'epoch', 'seq', 'source', 'flags']
const inner = new Set(['type', ...headerNames])
// Reserved bytes, and which input made a record: of no use outside the log it came from.
const isHidden = (name) => name === 'price_kind' || name.startsWith('cause_')

// Never without a value: a trade is a price and a size. All other prices and sizes may be absent.
const required = new Set(['trade.price', 'trade.size', 'bar.ts_end'])

const docs = {
  symbol: 'The key of the message. Empty where the instrument is not known.',
  instrument_id: 'Number of the instrument; 0: a whole feed.',
  ts_event: 'When the venue says it happened, ns since 1970 UTC.',
  ts_recv: 'When it was received, ns since 1970 UTC.',
  epoch: 'Unix second in which the feed session began.',
  seq: 'From 1, one more for each record of the stream within the epoch.',
  source: 'Number of the feed among those of the instrument; bit 7: fetched later.',
  price_exponent: 'A price is the integer times ten to this.',
  size_exponent: 'A size is the integer times ten to this.',
  event_id: 'Unique per record: what is delivered twice has the same.',
  trade_id: 'Of the venue: the bits of an unsigned 64-bit integer.',
  update_id: 'Of the venue: the bits of an unsigned 64-bit integer.',
  venue_from: 'Of the venue: the bits of an unsigned 64-bit integer.',
  venue_to: 'Of the venue: the bits of an unsigned 64-bit integer.',
  count: 'Missing records; null: nobody can say.',
  turnover: 'Sum of price times size, exact, as decimal text.',
  funding_rate: 'Times ten to -8.',
  first: 'Position of the first input record: epoch in the upper 32 bits, seq in the lower.',
  last: 'Position of the last input record: epoch in the upper 32 bits, seq in the lower.',
  levels: 'How many levels a side has at most: 5, 10 or 20.',
  bids: 'Best first.',
  asks: 'Best first.',
}

const integer = { u8: 'int', u16: 'int', u32: 'long', u64: 'long', i64: 'long' }
const bits = (names) =>
  `Bits: ${Object.entries(names)
    .map(([name, bit]) => `${bit} ${name}`)
    .join(', ')}.`

const pascal = (name) => name.replaceAll(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase())
const field = (name, type, extra = {}) => ({ name, type, ...(docs[name] === undefined ? {} : { doc: docs[name] }), ...extra })
const optional = (name, type, extra = {}) => field(name, ['null', type], { default: null, ...extra })
const time = { type: 'long', logicalType: 'timestamp-nanos' }

/** The place of a symbol is its value in the record, so an encoder writes the value; 0 and what it does not know are the first. */
function enumeration(name, values) {
  const symbols = [name === 'record_type' || name === 'bar_basis' ? 'none' : 'unknown']
  for (const [symbol, value] of Object.entries(values)) symbols[value] = symbol
  return { type: 'enum', name: pascal(name), symbols, default: symbols[0] }
}

function ownField(record, name, f, layout, named) {
  const where = `${record}.${name}`
  if (name === 'turnover_high') return []
  if (name === 'turnover_low') return [field('turnover', 'string')]
  if (name === 'completeness') return [field(name, 'int', { doc: bits(layout.completeness) })]
  if (f.meaning === 'price' || f.meaning === 'size' || name === 'funding_rate')
    return [required.has(where) ? field(name, 'long') : optional(name, 'long')]
  if (f.meaning === 'time') return [required.has(where) ? field(name, time) : optional(name, time)]
  if (where === 'gap.count') return [optional(name, 'long')]
  const values = layout.enums[f.meaning]
  if (values !== undefined) {
    // A named type is written out once and then called by its name.
    const known = named.has(f.meaning)
    named.add(f.meaning)
    return [field(name, known ? `${NAMESPACE}.${pascal(f.meaning)}` : enumeration(f.meaning, values))]
  }
  return [field(name, integer[f.kind])]
}

function sides() {
  const level = {
    type: 'record',
    name: 'DepthLevel',
    fields: [field('price', 'long'), optional('size', 'long'), field('orders', 'long')],
  }
  return [
    field('levels', 'int'),
    field('bids', { type: 'array', items: level }),
    field('asks', { type: 'array', items: `${NAMESPACE}.DepthLevel` }),
  ]
}

function recordSchema(name, doc, own, layout) {
  const header = layout.records.trade.fields
  return {
    type: 'record',
    name: pascal(name),
    namespace: NAMESPACE,
    doc,
    fields: [
      field('symbol', 'string'),
      ...headerNames.map((n) => {
        if (header[n].meaning === 'time') return field(n, time)
        return n === 'flags' ? field(n, 'int', { doc: bits(layout.flags) }) : field(n, integer[header[n].kind])
      }),
      field('price_exponent', 'int'),
      field('size_exponent', 'int'),
      ...own,
      field('event_id', 'string'),
    ],
  }
}

const recordDocs = {
  trade: 'One trade.',
  quote: 'Best bid and ask; null: that side is empty.',
  ticker: 'What a sampled feed says at one moment; null: the packet did not carry it.',
  index: 'Mark or index price of a perpetual.',
  level: 'One change of one price level of a book.',
  bar: 'One bar, or a later version of it; ts_event is its start, ts_recv the record that closed or changed it.',
  gap: 'Records that are missing from a stream.',
}

/** An instrument's newest definition; src/model/instrument.ts is what it follows, and a test compares the two. */
function referenceData() {
  const text = (name) => optional(name, 'string')
  const source = {
    type: 'record',
    name: 'InstrumentSource',
    fields: ['venue', 'segment', 'venue_id', 'venue_symbol'].map((name) => field(name, 'string')),
  }
  return {
    type: 'record',
    name: 'ReferenceData',
    namespace: NAMESPACE,
    doc: 'The newest definition of an instrument.',
    fields: [
      field('symbol', 'string', { doc: 'The key of the message.' }),
      field('id', 'long'),
      field('exchange', 'string'),
      field('asset_class', 'string'),
      field('price_exponent', 'int'),
      field('size_exponent', 'int'),
      optional('supersedes', 'long'),
      text('kind'),
      text('underlying'),
      optional('expiry_ns', time),
      ...['strike', 'right', 'multiplier', 'lot_size', 'tick_size', 'calendar'].map(text),
      field('sources', { type: 'array', items: source }, { default: [] }),
    ],
  }
}

/** By the names that `schema` of config/topics.yaml uses. */
export function avroSchemas(layout) {
  const schemas = new Map()
  for (const [name, doc] of Object.entries(recordDocs)) {
    const named = new Set()
    const own = Object.entries(layout.records[name].fields)
      .filter(([fieldName]) => !inner.has(fieldName) && !isHidden(fieldName))
      .flatMap(([fieldName, f]) => ownField(name, fieldName, f, layout, named))
    schemas.set(name, recordSchema(name, doc, own, layout))
  }
  schemas.set('depth', recordSchema('depth', 'The best levels of a book: depth5, depth10 and depth20 alike.', sides(), layout))
  schemas.set('reference_data', referenceData())
  return schemas
}

/** One field a line: a change of one is a change of one line. */
export function avscText(schema) {
  const { fields, ...head } = schema
  const opening = JSON.stringify(head).slice(0, -1)
  return `${opening},"fields":[\n${fields.map((f) => ` ${JSON.stringify(f)}`).join(',\n')}\n]}\n`
}

function typeText(type) {
  if (typeof type === 'string') return type.startsWith(`${NAMESPACE}.`) ? type.slice(NAMESPACE.length + 1) : type
  if (Array.isArray(type)) return type.map(typeText).join(' or ')
  if (type.type === 'enum') return `enum ${type.name}: ${type.symbols.join(', ')}`
  if (type.type === 'array') return `array of ${typeText(type.items)}`
  if (type.type === 'record') return `${type.name} (${type.fields.map((f) => `${f.name}: ${typeText(f.type)}`).join('; ')})`
  return type.logicalType === undefined ? type.type : `${type.type} (${type.logicalType})`
}

/** docs/reference/avro.md: the order in the table is the order of the bytes. */
export function avroReference(schemas) {
  const cell = (text) => text.replaceAll('|', '\\|')
  const tables = [...schemas].map(
    ([name, schema]) =>
      `## ${name}\n\n${schema.doc} \`config/schema/avro/${name}.avsc\`\n\n| | field | type | |\n|---|---|---|---|\n${schema.fields
        .map((f, i) => `| ${i + 1} | \`${f.name}\` | ${cell(typeText(f.type))} | ${f.doc ?? ''} |\n`)
        .join('')}`,
  )
  return `# Avro

Generated by scripts/generate.mjs from the record's layout; do not modify.

Views with \`view: avro\` and the subjects \`market.{asset_class}.{data_type}-value\` of a registry hold these. A message is the byte 0, the
schema's id in the registry (4 bytes, big-endian) and the fields in this order.

- A price or size is an integer: value × 10^\`price_exponent\` or 10^\`size_exponent\`. Null: not told.
- An enumeration's number is the one of the record; a value this schema does not know is written as the first.
- Unsigned 32-bit fields are \`long\`; unsigned 64-bit ones keep their bits and so may read as negative.
- A new field needs a default and stands before \`event_id\`; no field is taken away or changes its type (Avro's BACKWARD rule).
- A view has the one schema of its data type: index records, which travel with tickers, are not in it.

${tables.join('\n')}`
}
