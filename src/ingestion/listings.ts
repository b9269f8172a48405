/**
 * Instruments inside a recording: a live feed writes into its capture what its exchange's registry holds, because exponents and
 * ids decide a record's bytes. A replay into an empty registry lists them in the same order. The text comes from outside: it is
 * checked like any other.
 */
import { z } from 'zod'
import { type InstrumentDefinition, type Listing, listingSchema } from '../model/instrument.js'

/** Of one item of a capture, which must stay far below 8 MiB. */
const INSTRUMENTS_MAX = 5_000

const schema = z.object({
  format: z.literal(1),
  exchange: z.string(),
  instruments: z.array(listingSchema).max(INSTRUMENTS_MAX),
})

/** In the order of their ids. */
export function listingTexts(exchange: string, definitions: readonly InstrumentDefinition[]): string[] {
  const listings = definitions
    .toSorted((a, b) => a.id - b.id)
    .map(({ id, exchange, asset_class, supersedes, ...listing }): Listing => listing)
  const texts: string[] = []
  for (let at = 0; at < listings.length; at += INSTRUMENTS_MAX) {
    texts.push(JSON.stringify({ format: 1, exchange, instruments: listings.slice(at, at + INSTRUMENTS_MAX) }))
  }
  return texts
}

export interface RecordedListing {
  readonly exchange: string
  readonly instruments: readonly z.output<typeof listingSchema>[]
}

/** Undefined: this is no listing, or one of a later format. */
export function readListing(text: string): RecordedListing | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  const checked = schema.safeParse(parsed)
  return checked.success ? checked.data : undefined
}

/** Stretches whose symbols rise: listed together, each gets ids in the order written, because a registry gives them by symbol. */
export function risingRuns<T extends { readonly symbol: string }>(instruments: readonly T[]): T[][] {
  const runs: T[][] = []
  for (const instrument of instruments) {
    const run = runs.at(-1)
    const last = run?.at(-1)
    if (run !== undefined && last !== undefined && last.symbol < instrument.symbol) run.push(instrument)
    else runs.push([instrument])
  }
  return runs
}
