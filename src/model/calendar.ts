/** When an exchange trades: its sessions as moments in UTC. */
import type { Exchange, Session } from './exchanges.js'
import { localToUtcS, offsetAtUtc, timeZoneTransitions } from './time-zone.js'

const DAY_S = 86_400

/** One trading session; the end is exclusive. */
export interface SessionTimes {
  /** Local date of the open, `2026-11-26`. */
  readonly date: string
  readonly openUtcS: number
  readonly closeUtcS: number
}

/** What native code needs to find sessions by itself; undefined for an exchange that never closes. */
export interface NativeSession {
  readonly exchange: number
  readonly transitions: readonly (readonly [number, number])[]
  readonly openS: number
  readonly closeS: number
}

export function nativeSession(exchange: Exchange): NativeSession | undefined {
  const session = exchange.sessions[0]
  if (session === undefined) return undefined
  return {
    exchange: exchange.number,
    transitions: timeZoneTransitions(exchange.timezone),
    openS: session.openS,
    closeS: session.closeS,
  }
}

/** The session that holds the moment, else undefined. An exchange without sessions is always open: the UTC day. */
export function sessionAt(exchange: Exchange, utcS: number): SessionTimes | undefined {
  if (exchange.sessions.length === 0) {
    const openUtcS = utcS - (((utcS % DAY_S) + DAY_S) % DAY_S)
    return { date: dateText(openUtcS), openUtcS, closeUtcS: openUtcS + DAY_S }
  }
  const transitions = timeZoneTransitions(exchange.timezone)
  const localDay = Math.floor((utcS + offsetAtUtc(transitions, utcS)) / DAY_S)
  // An overnight session that holds the moment may have opened on the day before.
  for (const day of [localDay, localDay - 1]) {
    for (const session of exchange.sessions) {
      const times = timesOf(exchange, session, day)
      if (times !== undefined && utcS >= times.openUtcS && utcS < times.closeUtcS) return times
    }
  }
  return undefined
}

export const isOpen = (exchange: Exchange, utcS: number): boolean => sessionAt(exchange, utcS) !== undefined

/** The next open after the moment, looking at most 15 days ahead. */
export function nextOpenUtcS(exchange: Exchange, utcS: number): number | undefined {
  if (exchange.sessions.length === 0) return utcS
  const transitions = timeZoneTransitions(exchange.timezone)
  const localDay = Math.floor((utcS + offsetAtUtc(transitions, utcS)) / DAY_S)
  let next: number | undefined
  for (let day = localDay; day <= localDay + 15 && next === undefined; day++) {
    for (const session of exchange.sessions) {
      const open = timesOf(exchange, session, day)?.openUtcS
      if (open !== undefined && open > utcS && (next === undefined || open < next)) next = open
    }
  }
  return next
}

function timesOf(exchange: Exchange, session: Session, localDay: number): SessionTimes | undefined {
  // Day 0 was a Thursday.
  const weekday = (((localDay + 4) % 7) + 7) % 7
  const date = dateText(localDay * DAY_S)
  if (!session.days.includes(weekday) || exchange.holidays.includes(date)) return undefined
  const transitions = timeZoneTransitions(exchange.timezone)
  const closeDay = session.closeS <= session.openS ? localDay + 1 : localDay
  return {
    date,
    openUtcS: localToUtcS(transitions, localDay * DAY_S + session.openS),
    closeUtcS: localToUtcS(transitions, closeDay * DAY_S + session.closeS),
  }
}

const dateText = (utcS: number): string => new Date(utcS * 1_000).toISOString().slice(0, 10)
