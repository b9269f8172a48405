/** Rows as a table, JSON or CSV. Data goes to standard output, everything else to standard error. */
import Table from 'cli-table3'
import { Option } from 'commander'
import type { Io } from './io.js'

export const formats = ['table', 'json', 'csv'] as const
export type Format = (typeof formats)[number]

/** `--format`; without it a terminal gets a table and a pipe JSON. */
export const formatOption = (): Option =>
  new Option('--format <format>', 'table, json or csv (a pipe gets json)').choices(formats)
export const formatOf = (io: Io, given: string | undefined): Format =>
  (given as Format | undefined) ?? (io.isOutTty ? 'table' : 'json')

export type Cell = string | number | bigint | boolean | null | undefined
export type Row = Readonly<Record<string, Cell>>

const text = (cell: Cell): string => (cell === null || cell === undefined ? '' : String(cell))

export function csvCell(cell: Cell): string {
  const plain = text(cell)
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

export const jsonText = (value: unknown): string =>
  JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? v.toString() : v))

/** Rows of one shape; the columns are those of the first. An empty list is a table's header, `[]`, or nothing in CSV. */
export function rowsText(rows: readonly Row[], format: Format, columns: readonly string[] = Object.keys(rows[0] ?? {})): string {
  if (format === 'json') return `[${rows.map((row) => `\n  ${jsonText(row)}`).join(',')}${rows.length > 0 ? '\n' : ''}]\n`
  if (format === 'csv') {
    if (columns.length === 0) return ''
    return `${columns.join(',')}\n${rows.map((row) => `${columns.map((c) => csvCell(row[c])).join(',')}\n`).join('')}`
  }
  const numeric = columns.map(
    (c) => rows.length > 0 && rows.every((row) => typeof row[c] === 'number' || typeof row[c] === 'bigint'),
  )
  const table = new Table({
    head: [...columns],
    colAligns: numeric.map((n) => (n ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: plainBorders,
  })
  for (const row of rows) table.push(columns.map((c) => text(row[c])))
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`
}

const plainBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const

/** One thing with named values: a two-column table, one JSON object, or one CSV row. */
export function factsText(facts: Row, format: Format): string {
  if (format === 'json') return `${jsonText(facts)}\n`
  if (format === 'csv') return rowsText([facts], 'csv')
  const width = Math.max(...Object.keys(facts).map((k) => k.length))
  return Object.entries(facts)
    .map(([key, value]) => `${key.padEnd(width)}  ${text(value)}\n`)
    .join('')
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const
export function bytesText(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}

/** ns UTC as ISO text with nine digits. */
export function timeText(ns: bigint): string {
  const seconds = ns / 1_000_000_000n
  const rest = ns % 1_000_000_000n
  return `${new Date(Number(seconds) * 1_000).toISOString().slice(0, 19)}.${rest.toString().padStart(9, '0')}Z`
}
