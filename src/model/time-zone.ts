/**
 * A time zone as its transitions, worked out once from Intl, so that native code needs no tz database. Mirrors
 * native/model/time_zone.h.
 */
import { ConfigError } from '../core/errors.js'

/** From this unix second on, local = utc + offset. The first one stands for all time before it as well. */
export type Transition = readonly [utcS: number, offsetS: number]

const FROM_S = Date.UTC(1990, 0, 1) / 1_000
const TO_S = Date.UTC(2100, 0, 1) / 1_000
/** No zone changes twice within it and back. */
const STEP_S = 14 * 86_400

const cache = new Map<string, readonly Transition[]>()

/** `[utc_s, offset_s][]` from 1990 to 2100, sorted, at least one. */
export function timeZoneTransitions(timezone: string): readonly Transition[] {
  const known = cache.get(timezone)
  if (known !== undefined) return known
  const offsetAt = offsetReader(timezone)
  const transitions: [number, number][] = [[FROM_S, offsetAt(FROM_S)]]
  let offset = transitions[0]?.[1] ?? 0
  for (let from = FROM_S; from < TO_S; from += STEP_S) {
    const end = Math.min(from + STEP_S, TO_S)
    const next = offsetAt(end)
    if (next === offset) continue
    let low = from
    let high = end
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (offsetAt(middle) === offset) low = middle
      else high = middle
    }
    transitions.push([high, offsetAt(high)])
    offset = next
  }
  cache.set(timezone, transitions)
  return transitions
}

/** Seconds to add to UTC at that moment. */
export function offsetAtUtc(transitions: readonly Transition[], utcS: number): number {
  let low = 0
  let high = transitions.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((transitions[middle]?.[0] ?? 0) <= utcS) low = middle + 1
    else high = middle
  }
  return transitions[Math.max(0, low - 1)]?.[1] ?? 0
}

/** A local time that a change skips or repeats is read with the offset before the change. */
export function localToUtcS(transitions: readonly Transition[], localS: number): number {
  const guess = offsetAtUtc(transitions, localS - offsetAtUtc(transitions, localS))
  const earlier = offsetAtUtc(transitions, localS - guess - 7_200)
  const isGuess = offsetAtUtc(transitions, localS - earlier) !== earlier && offsetAtUtc(transitions, localS - guess) === guess
  return localS - (isGuess ? guess : earlier)
}

function offsetReader(timezone: string): (utcS: number) => number {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (error) {
    throw new ConfigError(`${JSON.stringify(timezone.slice(0, 60))} is not a time zone`, {
      field: 'timezone',
      fix: 'use a name of the tz database such as Asia/Kolkata',
      cause: error,
    })
  }
  return (utcS) => {
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = (
      format.format(utcS * 1_000).match(/\d+/g) ?? []
    ).map(Number)
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1_000 - utcS
  }
}
