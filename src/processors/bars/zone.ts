/**
 * A time zone as its transitions, for native code without a tz database: (unix second, offset in seconds) pairs from 1990
 * to 2100. Derived from Intl once per zone.
 */
const FROM_S = Date.UTC(1990, 0, 1) / 1000
const TO_S = Date.UTC(2100, 0, 1) / 1000
const STEP_S = 14 * 86_400

function offsetReader(zone: string): (second: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (second) => {
    const field: Record<string, number> = {}
    for (const part of format.formatToParts(second * 1000)) field[part.type] = Number(part.value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = field
    return Date.UTC(year, month - 1, day, hour, minute, field.second ?? 0) / 1000 - second
  }
}

const known = new Map<string, Float64Array>()

export function zoneTransitions(zone: string): Float64Array {
  const cached = known.get(zone)
  if (cached !== undefined) return cached
  const offsetAt = offsetReader(zone)
  const pairs = [FROM_S, offsetAt(FROM_S)]
  let offset = offsetAt(FROM_S)
  for (let at = FROM_S; at < TO_S; at += STEP_S) {
    const next = offsetAt(at + STEP_S)
    if (next === offset) continue
    let low = at
    let high = at + STEP_S
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (offsetAt(middle) === offset) low = middle
      else high = middle
    }
    pairs.push(high, next)
    offset = next
  }
  const transitions = Float64Array.from(pairs)
  known.set(zone, transitions)
  return transitions
}
