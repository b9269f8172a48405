/** Symbols: unique within an exchange, `[A-Z0-9.&_-]{1,40}`, the venue's spelling with `/` as `-`. The symbol is a message's key. */
import { SymbolError } from '../core/errors.js'

const SYMBOL = /^[A-Z0-9.&_-]{1,40}$/
const DAY_MS = 86_400_000

export const isSymbol = (text: string): boolean => SYMBOL.test(text)

/** Our symbol for a venue's own spelling: `BTC/USD` → `BTC-USD`. Throws SymbolError when nothing valid comes out. */
export function symbolOf(venueSymbol: string): string {
  const symbol = venueSymbol.trim().toUpperCase().replaceAll('/', '-').replaceAll(' ', '-')
  if (!SYMBOL.test(symbol)) {
    throw new SymbolError(`${JSON.stringify(venueSymbol.slice(0, 80))} is not a symbol`, {
      field: 'symbol',
      fix: 'use 1 to 40 of A-Z 0-9 . & _ -',
    })
  }
  return symbol
}

/** `NIFTY-20261126-F`. The expiry is the local date of the exchange, `2026-11-26`. */
export const futureSymbol = (underlying: string, expiry: string): string => symbolOf(`${underlying}-${compactDate(expiry)}-F`)

/** `NIFTY-20261126-24500-C`. The strike as plain decimal text without trailing zeros. */
export const optionSymbol = (underlying: string, expiry: string, strike: string, right: 'call' | 'put'): string =>
  symbolOf(`${underlying}-${compactDate(expiry)}-${plainStrike(strike)}-${right === 'call' ? 'C' : 'P'}`)

function compactDate(date: string): string {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date)
  const ms = match === null ? Number.NaN : Date.parse(`${date}T00:00:00Z`)
  if (Number.isNaN(ms) || new Date(ms - (ms % DAY_MS)).toISOString().slice(0, 10) !== date) {
    throw new SymbolError(`${JSON.stringify(date.slice(0, 40))} is not a date`, {
      field: 'expiry',
      fix: 'use a date such as 2026-11-26',
    })
  }
  return date.replaceAll('-', '')
}

function plainStrike(strike: string): string {
  if (!/^\d{1,12}(\.\d{1,8})?$/.test(strike)) {
    throw new SymbolError(`${JSON.stringify(strike.slice(0, 40))} is not a strike`, {
      field: 'strike',
      fix: 'use plain decimal text such as 24500 or 92.25',
    })
  }
  const trimmed = strike.includes('.') ? strike.replace(/0+$/, '').replace(/\.$/, '') : strike
  return trimmed.replace(/^0+(?=\d)/, '')
}
