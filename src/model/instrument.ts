/** An instrument's definition, as it stands in `market.{asset_class}.reference_data.{exchange}`: JSON, one message a symbol. */
import { z } from 'zod'
import { assetClasses } from './names.js'
import { isSymbol } from './symbols.js'

export const instrumentKinds = ['equity', 'index', 'future', 'perpetual', 'option', 'spot'] as const

const integerText = z.string().regex(/^-?\d{1,20}$/)
const decimalText = z.string().regex(/^-?\d{1,30}(\.\d{1,30})?$/)
const symbol = z.string().refine(isSymbol, 'expected a symbol')
const exponent = z.int().min(-18).max(18)

/** What a feed calls the instrument. */
const sourceSchema = z.object({
  venue: z.string().min(1).max(32),
  segment: z.string().max(32).default(''),
  venue_id: z.string().max(64).default(''),
  venue_symbol: z.string().max(64).default(''),
})

const attributes = {
  kind: z.enum(instrumentKinds).optional(),
  underlying: symbol.optional(),
  /** ns since 1970 UTC. */
  expiry_ns: integerText.optional(),
  strike: decimalText.optional(),
  right: z.enum(['call', 'put']).optional(),
  multiplier: decimalText.optional(),
  lot_size: decimalText.optional(),
  tick_size: decimalText.optional(),
  calendar: z.string().max(32).optional(),
  sources: z.array(sourceSchema).max(64).default([]),
}

export const definitionSchema = z.object({
  id: z.int().min(1).max(0xffff_ffff),
  exchange: z.string().min(1).max(32),
  symbol,
  asset_class: z.enum(assetClasses),
  price_exponent: exponent,
  size_exponent: exponent,
  /** The id this one replaces: the same instrument with coarser exponents. */
  supersedes: z.int().min(1).max(0xffff_ffff).optional(),
  ...attributes,
})
export type InstrumentDefinition = Readonly<z.output<typeof definitionSchema>>
export type InstrumentSource = z.output<typeof sourceSchema>

/** What is known when an instrument is listed; without exponents it takes those of its exchange. */
export const listingSchema = z.strictObject({
  symbol,
  price_exponent: exponent.optional(),
  size_exponent: exponent.optional(),
  ...attributes,
})
export type Listing = z.input<typeof listingSchema>

/** The value of one message: every id the symbol ever had, the newest last, because compaction keeps one message a symbol. */
export const messageSchema = z.object({ format: z.literal(1), versions: z.array(definitionSchema).min(1).max(1_000) })
