/** What a bars processor is asked to do, checked, and as the native side wants it. */
import { z } from 'zod'
import type { NativeBarOptions } from '../../native/bars.js'
import { layout } from '../../wire/index.js'
import { zoneTransitions } from './zone.js'

/** Interval names, in milliseconds. */
export const barIntervals = {
  '1s': 1_000,
  '5s': 5_000,
  '1m': 60_000,
  '3m': 180_000,
  '5m': 300_000,
  '15m': 900_000,
  '30m': 1_800_000,
  '1h': 3_600_000,
  '4h': 14_400_000,
  '1d': 86_400_000,
} as const
export type BarInterval = keyof typeof barIntervals

/** What a bar is made of, by its number in the record. */
export const barBases = { trade: 1, ticker: 2, bid: 3, ask: 4, mid: 5, bar: 6 } as const
export type BarBasis = keyof typeof barBases

const interval = z.enum(Object.keys(barIntervals) as [BarInterval, ...BarInterval[]])
const basis = z.enum(Object.keys(barBases) as [BarBasis, ...BarBasis[]])
const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$|^24:00$/, 'a local time like 09:15')

export const barSessionSchema = z.strictObject({
  /** The exchange's number, the high 8 bits of its instruments' ids. */
  exchange: z.int().min(1).max(255),
  timezone: z.string().min(1),
  open: time,
  /** At or before the open: on the next day. */
  close: time,
})

export const barOptionsSchema = z.strictObject({
  intervals: z.array(interval).min(1).default(['1s', '1m', '5m']),
  basis: z.union([basis, z.array(basis).min(1)]).default('trade'),
  /** How long an interval stays open behind the highest event time of its partition. At most 60 of the shortest interval. */
  latenessMs: z.number().min(0).max(3_600_000).default(2_000),
  /** With basis bar: which smaller bars are the parts. */
  parts: z.strictObject({ interval, basis: basis.default('trade') }).default({ interval: '1s', basis: 'trade' }),
  /** Exchanges whose intervals start at the session's open and end at its close; all others stand on the epoch, UTC. */
  sessions: z.array(barSessionSchema).default([]),
})
export type BarOptions = z.input<typeof barOptionsSchema>

const secondsOf = (text: string): number => {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number)
  return hours * 3600 + minutes * 60 + seconds
}

export function nativeBarOptions(options: BarOptions): NativeBarOptions {
  const checked = barOptionsSchema.parse(options)
  const bases = typeof checked.basis === 'string' ? [checked.basis] : checked.basis
  return {
    intervalsMs: [...new Set(checked.intervals.map((name) => barIntervals[name]))].sort((a, b) => a - b),
    bases: bases.reduce((set, name) => set | (1 << barBases[name]), 0),
    latenessNs: Math.round(checked.latenessMs * 1e6),
    partsIntervalMs: barIntervals[checked.parts.interval],
    partsBasis: barBases[checked.parts.basis],
    sessions: checked.sessions.map((session) => ({
      exchange: session.exchange,
      openS: secondsOf(session.open),
      closeS: secondsOf(session.close),
      transitions: zoneTransitions(session.timezone),
    })),
  }
}

/** Bytes of one bar record. */
export const BAR_BYTES = layout.records.bar.size
