/**
 * Instrument masters as venues publish them: Kite's instruments.csv, Dhan's scrip master (compact and detailed). Each row becomes a
 * listing of our exchange, with the number by which the venue's packets name it.
 */
import { SourceError } from '../core/errors.js'
import type { Listing } from '../model/instrument.js'
import { futureSymbol, isSymbol, optionSymbol } from '../model/symbols.js'

export interface MasterRow {
  readonly exchange: string
  readonly listing: Listing
  /** What a packet carries: Kite's token, Dhan's segment << 32 | id. */
  readonly venueKey: bigint
}

export interface Master {
  readonly rows: readonly MasterRow[]
  /** Rows of exchanges or kinds that this engine does not list. */
  readonly skipped: number
}

export const masterVenues = ['kite', 'dhan'] as const
export type MasterVenue = (typeof masterVenues)[number]

type Columns = Readonly<Record<string, string>>

export function readMaster(venue: MasterVenue, text: string, file: string): Master {
  const lines = text.split(/\r?\n/)
  const header = cellsOf(lines[0] ?? '')
  const needed =
    venue === 'kite'
      ? ['instrument_token', 'tradingsymbol', 'exchange']
      : header.includes('SECURITY_ID')
        ? ['SECURITY_ID', 'SEGMENT', 'EXCH_ID']
        : ['SEM_SMST_SECURITY_ID', 'SEM_SEGMENT', 'SEM_EXM_EXCH_ID']
  const missing = needed.filter((name) => !header.includes(name))
  if (missing.length > 0) {
    throw new SourceError(`${file}: its first line names no ${missing.join(', ')}: this is no ${venue} master`, {
      file,
      line: 1,
      fix: 'give the CSV as the venue publishes it',
    })
  }
  const rows: MasterRow[] = []
  const seen = new Set<string>()
  let skipped = 0
  for (const line of lines.slice(1)) {
    if (line === '') continue
    const cells = cellsOf(line)
    const columns: Columns = Object.fromEntries(header.map((name, i) => [name, cells[i] ?? '']))
    const row = venue === 'kite' ? kiteRow(columns) : dhanRow(columns)
    const key = row === undefined ? '' : `${row.exchange} ${row.listing.symbol}`
    if (row === undefined || seen.has(key)) skipped++
    else rows.push(row)
    seen.add(key)
  }
  return { rows, skipped }
}

function cellsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((m) => (m[1] ?? m[2] ?? '').replaceAll('""', '"'))
}

const kiteExchanges: Readonly<Record<string, string>> = {
  NSE: 'nse',
  BSE: 'bse',
  NFO: 'nfo',
  BFO: 'bfo',
  CDS: 'cds',
  BCD: 'bcd',
  MCX: 'mcx',
}

function kiteRow(c: Columns): MasterRow | undefined {
  const exchange = kiteExchanges[c.exchange ?? '']
  if (exchange === undefined || !/^\d{1,10}$/.test(c.instrument_token ?? '')) return undefined
  const kind = c.instrument_type ?? ''
  const listing = listingOf({
    kind: c.segment === 'INDICES' ? 'INDEX' : kind,
    name: c.tradingsymbol ?? '',
    underlying: c.name ?? '',
    expiry: isoDate(c.expiry ?? ''),
    strike: c.strike ?? '',
    right: kind,
    lot: c.lot_size ?? '',
    tick: c.tick_size ?? '',
    source: {
      venue: 'kite',
      segment: c.segment ?? '',
      venue_id: c.instrument_token ?? '',
      venue_symbol: (c.tradingsymbol ?? '').slice(0, 64),
    },
  })
  return listing === undefined ? undefined : { exchange, listing, venueKey: BigInt(c.instrument_token ?? 0) }
}

/** (exchange, segment letter) → our exchange and the number of the segment in packets. */
const dhanSegments: Readonly<Record<string, readonly [exchange: string, segment: bigint]>> = {
  'NSE E': ['nse', 1n],
  'NSE D': ['nfo', 2n],
  'NSE C': ['cds', 3n],
  'BSE E': ['bse', 4n],
  'MCX M': ['mcx', 5n],
  'BSE C': ['bcd', 7n],
  'BSE D': ['bfo', 8n],
  'NSE I': ['nse', 0n],
  'BSE I': ['bse', 0n],
}

function dhanRow(c: Columns): MasterRow | undefined {
  const [exch, letter, id] = [
    c.SEM_EXM_EXCH_ID ?? c.EXCH_ID,
    c.SEM_SEGMENT ?? c.SEGMENT,
    c.SEM_SMST_SECURITY_ID ?? c.SECURITY_ID ?? '',
  ]
  const found = dhanSegments[`${exch} ${letter}`]
  if (found === undefined || !/^\d{1,10}$/.test(id)) return undefined
  const [exchange, segment] = found
  const kind = c.SEM_INSTRUMENT_NAME ?? c.INSTRUMENT ?? ''
  // Of a share the compact file's trading symbol; the detailed one calls the same thing UNDERLYING_SYMBOL.
  const name = c.SEM_TRADING_SYMBOL ?? (c.UNDERLYING_SYMBOL === '' ? c.SYMBOL_NAME : c.UNDERLYING_SYMBOL) ?? ''
  const listing = listingOf({
    kind: kind.startsWith('OPT') ? 'CE' : kind.startsWith('FUT') ? 'FUT' : kind === 'INDEX' ? 'INDEX' : 'EQ',
    name,
    underlying: (c.UNDERLYING_SYMBOL ?? name.split('-')[0] ?? '').trim(),
    expiry: isoDate((c.SEM_EXPIRY_DATE ?? c.SM_EXPIRY_DATE ?? '').slice(0, 10)),
    strike: c.SEM_STRIKE_PRICE ?? c.STRIKE_PRICE ?? '',
    right: c.SEM_OPTION_TYPE ?? c.OPTION_TYPE ?? '',
    lot: c.SEM_LOT_UNITS ?? c.LOT_SIZE ?? '',
    tick: '',
    source: { venue: 'dhan', segment: segment.toString(), venue_id: id, venue_symbol: name.slice(0, 64) },
  })
  return listing === undefined ? undefined : { exchange, listing, venueKey: (segment << 32n) | BigInt(id) }
}

interface Described {
  readonly kind: string
  readonly name: string
  readonly underlying: string
  readonly expiry: string
  readonly strike: string
  readonly right: string
  readonly lot: string
  readonly tick: string
  readonly source: NonNullable<Listing['sources']>[number]
}

/** Spreadsheets turn dates around: `25-04-2024` is accepted as well. */
const isoDate = (text: string): string => text.replace(/^(\d{2})-(\d{2})-(\d{4})$/, '$3-$2-$1')
const decimal = (text: string): string | undefined => (/^\d{1,15}(\.\d{1,8})?$/.test(text) && Number(text) > 0 ? text : undefined)
const squeezed = (text: string): string => text.trim().toUpperCase().replaceAll('/', '-').replaceAll(' ', '-')

/** Undefined: the row cannot be named by our rules. */
function listingOf(d: Described): Listing | undefined {
  const [lot, tick] = [decimal(d.lot), decimal(d.tick)]
  const common = {
    sources: [d.source],
    ...(lot === undefined ? {} : { lot_size: lot }),
    ...(tick === undefined ? {} : { tick_size: tick }),
  }
  const underlying = squeezed(d.underlying)
  try {
    if (d.kind === 'CE' || d.kind === 'PE') {
      const right = d.right === 'PE' ? 'put' : 'call'
      const strike = decimal(d.strike)
      if (strike === undefined) return undefined
      return { symbol: optionSymbol(underlying, d.expiry, strike, right), kind: 'option', underlying, strike, right, ...common }
    }
    if (d.kind === 'FUT') return { symbol: futureSymbol(underlying, d.expiry), kind: 'future', underlying, ...common }
  } catch {
    return undefined
  }
  const symbol = squeezed(d.name)
  return isSymbol(symbol) ? { symbol, kind: d.kind === 'INDEX' ? 'index' : 'equity', ...common } : undefined
}
