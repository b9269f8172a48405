/**
 * File sources by declaration: config/venues/*.yaml says what the columns of a file mean, this compiles it into the program
 * that native/feed/csv_source.cc runs. Reads YAML, writes JSON; nothing here sees a row.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { ConfigError } from '../core/errors.js'
import { timeZoneTransitions } from '../model/time-zone.js'

const column = z.union([z.number().int().min(0).max(1023), z.string().min(1)])

const value = z.union([
  column,
  z.strictObject({
    column,
    /** The text is an integer of 10^-scale. */
    scale: z.number().int().min(-18).max(18).default(0),
    /** Round to the instrument's exponent (half to even); without it what does not fit is refused and leaves a gap. */
    round: z.boolean().default(false),
    /** 0 and an empty text are no value: a side that is absent. */
    zero_is_none: z.boolean().default(false),
    hex: z.boolean().default(false),
  }),
])

const text = z.union([z.string(), z.number()]).transform(String)

export type Filter =
  | { all: Filter[] }
  | { any: Filter[] }
  | { column: number | string; op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'in'; value: string | string[] }

const filter: z.ZodType<Filter, unknown> = z.lazy(() =>
  z.union([
    z.strictObject({ all: z.array(filter).min(1) }),
    z.strictObject({ any: z.array(filter).min(1) }),
    z.strictObject({
      column,
      op: z.enum(['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'in']),
      value: z.union([text, z.array(text).min(1)]),
    }),
  ]),
)

const time = z.union([
  z.strictObject({ columns: z.array(column).min(1).max(4), format: z.string().min(1) }),
  z.strictObject({
    columns: z.array(column).length(1),
    unit: z.enum(['s', 'ms', 'us', 'ns']),
    since: z.enum(['midnight', 'epoch']),
    date: z.union([z.literal('file'), z.strictObject({ column, format: z.string().min(1) })]).optional(),
  }),
])

const regex = z.string().refine(isRegex, 'is not a regular expression')

const fieldNames = [
  ...['price', 'size', 'side', 'trade_id', 'conditions', 'bid', 'ask', 'bid_size', 'ask_size'],
  ...['open', 'high', 'low', 'close', 'volume'],
  ...['bid_open', 'bid_high', 'bid_low', 'bid_close', 'ask_open', 'ask_high', 'ask_low', 'ask_close'],
] as const

const needed = {
  trade: ['price', 'size'],
  quote: ['bid', 'ask'],
  bar: ['open', 'high', 'low', 'close'],
  quote_bar: ['bid_open', 'bid_high', 'bid_low', 'bid_close', 'ask_open', 'ask_high', 'ask_low', 'ask_close'],
} as const

const csvSource = z
  .strictObject({
    kind: z.literal('csv').default('csv'),
    exchange: z.string().regex(/^[a-z0-9_]+$/),
    /** Of the file's name; the groups `symbol` and `date` are taken from it. */
    file: regex,
    /** Of the path before the name, for vendors that say the market there. */
    folder: regex.optional(),
    /** Never chosen by a file's name alone: a variant of another source. */
    only_by_name: z.boolean().default(false),
    record: z.enum(['trade', 'quote', 'bar', 'quote_bar']),
    interval: z
      .string()
      .regex(/^[1-9]\d{0,3}[smhd]$/)
      .optional(),
    basis: z.enum(['trade', 'bid', 'ask', 'mid']).default('trade'),
    delimiter: z.string().length(1).default(','),
    header: z.boolean().default(false),
    timezone: z.string().default('UTC'),
    time,
    filter: filter.optional(),
    side: z.strictObject({ buy: z.array(text).default([]), sell: z.array(text).default([]) }).optional(),
    /** A column of symbols; without it the file's name has the symbol. */
    symbol: column.optional(),
    columns: z.partialRecord(z.enum(fieldNames), value),
  })
  .superRefine((source, context) => {
    for (const name of needed[source.record]) {
      if (source.columns[name] === undefined) context.addIssue(`columns.${name}: a ${source.record} needs it`)
    }
    const isBar = source.record === 'bar' || source.record === 'quote_bar'
    if (isBar && source.interval === undefined) context.addIssue('interval: bars need one')
    if (!source.header && namesOf(source).length > 0) {
      context.addIssue(`header: column ${JSON.stringify(namesOf(source)[0])} is a name, but there is no header`)
    }
    if (source.symbol === undefined && !source.file.includes('(?<symbol>')) {
      context.addIssue('file: needs a group (?<symbol>…), or symbol a column')
    }
    if ('unit' in source.time && source.time.since === 'midnight') {
      if (source.time.date === undefined) context.addIssue('time.date: a time since midnight needs a date')
      if (source.time.date === 'file' && !source.file.includes('(?<date>')) context.addIssue('file: needs a group (?<date>…)')
    }
  })

const dbnSource = z.strictObject({
  kind: z.literal('dbn'),
  exchange: z.string().regex(/^[a-z0-9_]+$/),
  dataset: z.string().min(1),
})

const declarations = z.strictObject({ sources: z.record(z.string().regex(/^[a-z0-9-]+$/), z.union([dbnSource, csvSource])) })

export type CsvDeclaration = z.output<typeof csvSource> & { name: string }
export type DbnDeclaration = z.output<typeof dbnSource> & { name: string }
export type SourceDeclaration = CsvDeclaration | DbnDeclaration

/** One declarations file; `origin` is named in errors. */
export function parseDeclarations(yaml: string, origin: string): SourceDeclaration[] {
  let tree: unknown
  try {
    tree = parse(yaml, { maxAliasCount: 1_000 })
  } catch (cause) {
    throw new ConfigError(`${origin}: ${(cause as Error).message}`, { file: origin, fix: 'mend the YAML there', cause })
  }
  const result = declarations.safeParse(tree)
  if (!result.success) {
    const issue = result.error.issues[0]
    throw new ConfigError(`${origin}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`, { file: origin })
  }
  return Object.entries(result.data.sources).map(([name, source]) => ({ ...source, name }))
}

/** Every declaration of a folder, by file name and then in the order written. */
export function loadDeclarations(folder: string): SourceDeclaration[] {
  const all = readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .flatMap((file) => parseDeclarations(readFileSync(join(folder, file), 'utf8'), file))
  const seen = new Set<string>()
  for (const { name } of all) {
    if (seen.has(name)) throw new ConfigError(`source ${name} is declared twice`)
    seen.add(name)
  }
  return all
}

/** The CSV source whose patterns a path meets; undefined when none does. */
export function matchDeclaration(all: readonly SourceDeclaration[], path: string): CsvDeclaration | undefined {
  const file = basename(path)
  const folder = path.slice(0, path.length - file.length).replace(/\/$/, '')
  for (const source of all) {
    if (source.kind !== 'csv' || source.only_by_name || !new RegExp(source.file).test(file)) continue
    if (source.folder === undefined || new RegExp(source.folder).test(folder)) return source
  }
  return undefined
}

export interface CompiledCsv {
  exchange: string
  /** The symbol of the whole file; undefined when each row has its own. */
  symbol: string | undefined
  /** For native/feed/csv_source.cc. */
  program: string
}

/** `given` stands in for what the file's name does not say. */
export function compileCsv(source: CsvDeclaration, path: string, given: { symbol?: string; date?: string } = {}): CompiledCsv {
  const groups = new RegExp(source.file).exec(basename(path))?.groups ?? {}
  const symbol = (given.symbol ?? groups.symbol)?.toUpperCase()
  if (source.symbol === undefined && symbol === undefined) {
    throw new ConfigError(`${source.name}: the name ${basename(path)} has no symbol, and none is given`)
  }
  const program = {
    kind: source.record,
    delimiter: source.delimiter,
    header: source.header,
    ...(source.symbol === undefined ? { symbol } : { symbolColumn: source.symbol }),
    time: compileTime(source, given.date ?? groups.date),
    fields: Object.fromEntries(Object.entries(source.columns).map(([name, declared]) => [name, compileValue(declared)])),
    ...(source.filter === undefined ? {} : { filter: compileFilter(source.filter) }),
    ...(source.side === undefined ? {} : { buy: source.side.buy, sell: source.side.sell }),
    ...(source.interval === undefined ? {} : { intervalMs: intervalMs(source.interval) }),
    basis: source.basis,
  }
  return { exchange: source.exchange, symbol: source.symbol === undefined ? symbol : undefined, program: JSON.stringify(program) }
}

const unitExponent = { s: 0, ms: -3, us: -6, ns: -9 } as const

function compileTime(source: CsvDeclaration, date: string | undefined) {
  const { time: declared } = source
  const zone = source.timezone === 'UTC' ? {} : { zone: timeZoneTransitions(source.timezone) }
  if ('format' in declared) return { columns: declared.columns, format: declared.format, ...zone }
  const unit = { columns: declared.columns, unitExponent: unitExponent[declared.unit] }
  if (declared.since === 'epoch') return unit
  if (declared.date !== 'file' && declared.date !== undefined) {
    return { ...unit, sinceMidnight: true, dateColumn: declared.date.column, dateFormat: declared.date.format, ...zone }
  }
  return { ...unit, sinceMidnight: true, dateDays: daysOf(source.name, date), ...zone }
}

/** Days since 1970 of 20131007 or 2013-10-07. */
function daysOf(name: string, date: string | undefined): number {
  const parts = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(date ?? '')
  const [year = 0, month = 0, day = 0] = (parts?.slice(1) ?? []).map(Number)
  const ms = Date.UTC(year, month - 1, day)
  const back = new Date(ms)
  if (parts === null || back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day) {
    throw new ConfigError(`${name}: ${JSON.stringify(date ?? '')} is not a date; the file's name gives it, or --date`)
  }
  return ms / 86_400_000
}

function compileValue(declared: z.output<typeof value>) {
  if (typeof declared !== 'object') return { column: declared }
  const { column: at, scale, round, zero_is_none: zeroIsNone, hex } = declared
  return { column: at, scale, round, zeroIsNone, hex }
}

function compileFilter(declared: Filter): object {
  if ('all' in declared) return { all: declared.all.map(compileFilter) }
  if ('any' in declared) return { any: declared.any.map(compileFilter) }
  return { column: declared.column, op: declared.op, values: [declared.value].flat() }
}

function intervalMs(interval: string): number {
  const unit = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[interval.slice(-1) as 's' | 'm' | 'h' | 'd']
  return Number(interval.slice(0, -1)) * unit
}

function isRegex(source: string): boolean {
  try {
    new RegExp(source)
    return true
  } catch {
    return false
  }
}

/** Columns that are named, not numbered. */
function namesOf(source: {
  columns: Partial<Record<string, z.output<typeof value>>>
  time: z.output<typeof time>
  symbol?: number | string | undefined
}): string[] {
  const fields = Object.values(source.columns).map((declared) => (typeof declared === 'object' ? declared.column : declared))
  return [...fields, ...source.time.columns, source.symbol].filter((at) => typeof at === 'string')
}
