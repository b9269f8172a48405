/** Exchanges by name and number, with their sessions: config/exchanges.yaml as checked values. */
import { z } from 'zod'
import { loadConfig } from '../core/config.js'
import { ConfigError } from '../core/errors.js'
import { type AssetClass, assetClasses } from './names.js'

export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
export type Weekday = (typeof weekdays)[number]

export interface Session {
  /** Local seconds since midnight. */
  readonly openS: number
  /** At or before the open: on the next day. */
  readonly closeS: number
  /** Days on which it opens; 0 is Sunday. */
  readonly days: readonly number[]
}

export interface Exchange {
  readonly name: string
  /** High byte of every instrument id. */
  readonly number: number
  readonly assetClass: AssetClass
  readonly timezone: string
  /** Empty: it never closes. */
  readonly sessions: readonly Session[]
  /** Local dates without a session, `2026-01-26`. */
  readonly holidays: readonly string[]
  readonly priceExponent: number
  readonly sizeExponent: number
  readonly latenessMs: number
}

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$|^24:00$/, 'expected a time of day such as 09:15')
  .transform((text) => text.split(':').reduce((sum, part, i) => sum + Number(part) * (3_600 / 60 ** i), 0))

const isTimezone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

const exponent = z.int().min(-18).max(18)
const schema = z.strictObject({
  exchanges: z.record(
    z.string().regex(/^[a-z0-9_]{1,32}$/, 'expected [a-z0-9_]'),
    z.strictObject({
      number: z.int().min(1).max(255),
      asset_class: z.enum(assetClasses),
      timezone: z.string().refine(isTimezone, 'expected a time zone such as Asia/Kolkata'),
      sessions: z
        .array(z.strictObject({ open: timeOfDay, close: timeOfDay, days: z.array(z.enum(weekdays)).min(1) }))
        .default([]),
      holidays: z.array(z.iso.date()).default([]),
      price_exponent: exponent,
      size_exponent: exponent,
      lateness_ms: z.int().min(0).max(60_000).default(2_000),
    }),
  ),
})

export class ExchangeTable {
  readonly #byName = new Map<string, Exchange>()
  readonly #byNumber = new Map<number, Exchange>()

  constructor(exchanges: readonly Exchange[]) {
    for (const exchange of exchanges) {
      const other = this.#byNumber.get(exchange.number)
      if (other !== undefined) {
        throw new ConfigError(`exchanges ${other.name} and ${exchange.name} have the same number ${exchange.number}`, {
          field: `exchanges.${exchange.name}.number`,
          fix: 'give the new one a number that no exchange ever had',
        })
      }
      this.#byName.set(exchange.name, exchange)
      this.#byNumber.set(exchange.number, exchange)
    }
  }

  get names(): string[] {
    return [...this.#byName.keys()]
  }

  find(name: string): Exchange | undefined {
    return this.#byName.get(name)
  }

  get(name: string): Exchange {
    const exchange = this.#byName.get(name)
    if (exchange === undefined) {
      throw new ConfigError(`there is no exchange ${JSON.stringify(name.slice(0, 80))}; valid: ${this.names.join(', ')}`, {
        field: 'exchange',
        validValues: this.names,
        fix: 'use one of them, or declare it in config/exchanges.yaml and config/topics.yaml',
      })
    }
    return exchange
  }

  byNumber(number: number): Exchange | undefined {
    return this.#byNumber.get(number)
  }

  /** The exchange of an instrument id. */
  ofInstrument(instrumentId: number): Exchange | undefined {
    return this.#byNumber.get(instrumentId >>> 24)
  }
}

export function loadExchanges(file: string, text?: string): ExchangeTable {
  const { exchanges } = loadConfig({ schema, file, ...(text === undefined ? {} : { text }) })
  return new ExchangeTable(
    Object.entries(exchanges).map(([name, e]) => ({
      name,
      number: e.number,
      assetClass: e.asset_class,
      timezone: e.timezone,
      sessions: e.sessions.map((s) => ({ openS: s.open, closeS: s.close, days: s.days.map((d) => weekdays.indexOf(d)) })),
      holidays: e.holidays,
      priceExponent: e.price_exponent,
      sizeExponent: e.size_exponent,
      latenessMs: e.lateness_ms,
    })),
  )
}
