// Avro's BACKWARD rule: whoever has the new schema reads what was written with the old one. Used before a generated schema replaces
// the committed one, so that a changed record cannot break readers unseen. Stricter than Avro in one thing: a field without a
// default may not be taken away, because readers with the old schema still ask for it.

const promotions = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
}

const isNamed = (type) => typeof type === 'object' && !Array.isArray(type) && (type.type === 'record' || type.type === 'enum')
const shortName = (name) => name.slice(name.lastIndexOf('.') + 1)

function namesOf(schema, names = new Map()) {
  if (Array.isArray(schema)) for (const branch of schema) namesOf(branch, names)
  else if (typeof schema === 'object') {
    if (isNamed(schema)) names.set(shortName(schema.name), schema)
    for (const field of schema.fields ?? []) namesOf(field.type, names)
    if (schema.items !== undefined) namesOf(schema.items, names)
  }
  return names
}

const kindOf = (type) => (typeof type === 'string' ? type : type.type)
const textOf = (type) =>
  Array.isArray(type) ? `[${type.map(textOf).join(', ')}]` : isNamed(type) ? shortName(type.name) : kindOf(type)

/** What is wrong, by field; empty: compatible. */
export function backwardProblems(oldSchema, newSchema) {
  const oldNames = namesOf(oldSchema)
  const newNames = namesOf(newSchema)
  const resolve = (type, names) => (typeof type === 'string' ? (names.get(shortName(type)) ?? type) : type)

  function compare(writer, reader, path) {
    const from = resolve(writer, oldNames)
    const to = resolve(reader, newNames)
    if (Array.isArray(from)) return from.flatMap((branch) => compare(branch, to, path))
    if (Array.isArray(to)) {
      const isRead = to.some((branch) => compare(from, branch, path).length === 0)
      return isRead ? [] : [`${path}: ${textOf(from)} is not among ${textOf(to)}`]
    }
    if (isNamed(from) && isNamed(to) && from.type === to.type) {
      if (shortName(from.name) !== shortName(to.name)) return [`${path}: ${textOf(from)} is now called ${textOf(to)}`]
      return from.type === 'record' ? compareFields(from, to, path) : compareSymbols(from, to, path)
    }
    if (kindOf(from) === 'array' && kindOf(to) === 'array') return compare(from.items, to.items, `${path}[]`)
    if (kindOf(from) !== kindOf(to) && !(promotions[kindOf(from)] ?? []).includes(kindOf(to)))
      return [`${path}: ${textOf(from)} cannot be read as ${textOf(to)}`]
    if (from.logicalType !== to.logicalType) return [`${path}: the meaning ${from.logicalType} became ${to.logicalType}`]
    return []
  }

  function compareFields(from, to, path) {
    const written = new Map(from.fields.map((f) => [f.name, f]))
    const at = (name) => (path === '' ? name : `${path}.${name}`)
    const read = to.fields.flatMap((f) => {
      const old = written.get(f.name)
      if (old !== undefined) return compare(old.type, f.type, at(f.name))
      return f.default === undefined ? [`${at(f.name)}: a new field needs a default`] : []
    })
    const kept = new Set(to.fields.map((f) => f.name))
    const gone = from.fields.filter((f) => !kept.has(f.name) && f.default === undefined)
    return [...read, ...gone.map((f) => `${at(f.name)}: a field without a default was taken away`)]
  }

  function compareSymbols(from, to, path) {
    const moved = from.symbols.filter((symbol, i) => to.symbols.includes(symbol) && to.symbols[i] !== symbol)
    const gone = to.default === undefined ? from.symbols.filter((symbol) => !to.symbols.includes(symbol)) : []
    return [
      ...gone.map((symbol) => `${path}: the symbol ${symbol} was taken away`),
      // The encoder writes the record's number as the symbol's place.
      ...moved.map((symbol) => `${path}: the symbol ${symbol} has another number`),
    ]
  }

  return compare(oldSchema, newSchema, '')
}
