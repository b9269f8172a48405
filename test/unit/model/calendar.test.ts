import { expect, test } from 'vitest'
import { isOpen, nativeSession, nextOpenUtcS, sessionAt } from '../../../src/model/calendar.js'
import { loadExchanges } from '../../../src/model/exchanges.js'
import { localToUtcS, offsetAtUtc, timeZoneTransitions } from '../../../src/model/time-zone.js'

const exchanges = loadExchanges('config/exchanges.yaml')
const utc = (text: string): number => Date.parse(text) / 1_000

test('transitions give the offset Intl gives, on both sides of every change', () => {
  let compared = 0
  for (const zone of ['Asia/Kolkata', 'America/New_York', 'America/Chicago', 'Australia/Sydney', 'UTC', 'Europe/London']) {
    const transitions = timeZoneTransitions(zone)
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
    for (const [at] of transitions.slice(1, 60)) {
      for (const second of [at - 1, at, at + 12_345]) {
        const local = new Date((second + offsetAtUtc(transitions, second)) * 1_000).toISOString().slice(0, 19).replace('T', ' ')
        expect(local).toBe(format.format(second * 1_000))
        compared++
      }
    }
  }
  expect(compared).toBeGreaterThan(500)
  expect(timeZoneTransitions('Asia/Kolkata')).toHaveLength(1)
  expect(() => timeZoneTransitions('Mars/Olympus')).toThrow(/not a time zone/)
})

test('local to UTC: plain, skipped and repeated hours', () => {
  const newYork = timeZoneTransitions('America/New_York')
  expect(localToUtcS(newYork, utc('2013-10-07T09:30:00Z'))).toBe(utc('2013-10-07T13:30:00Z'))
  expect(localToUtcS(newYork, utc('2024-03-10T02:30:00Z'))).toBe(utc('2024-03-10T07:30:00Z'))
  expect(localToUtcS(newYork, utc('2024-11-03T01:30:00Z'))).toBe(utc('2024-11-03T05:30:00Z'))
})

test('sessions: day, weekend, overnight, always open', () => {
  const nse = exchanges.get('nse')
  expect(sessionAt(nse, utc('2026-11-26T04:00:00Z'))).toEqual({
    date: '2026-11-26',
    openUtcS: utc('2026-11-26T03:45:00Z'),
    closeUtcS: utc('2026-11-26T10:00:00Z'),
  })
  expect(isOpen(nse, utc('2026-11-26T03:44:59Z'))).toBe(false)
  expect(isOpen(nse, utc('2026-11-26T10:00:00Z'))).toBe(false)
  expect(isOpen(nse, utc('2026-11-28T04:00:00Z'))).toBe(false)
  expect(nextOpenUtcS(nse, utc('2026-11-27T12:00:00Z'))).toBe(utc('2026-11-30T03:45:00Z'))
  const glbx = exchanges.get('glbx')
  expect(sessionAt(glbx, utc('2023-12-25T03:00:00Z'))?.date).toBe('2023-12-24')
  expect(isOpen(glbx, utc('2023-12-23T03:00:00Z'))).toBe(false)
  const binance = exchanges.get('binance')
  expect(isOpen(binance, 0)).toBe(true)
  expect(nativeSession(binance)).toBeUndefined()
  expect(nativeSession(nse)).toMatchObject({
    exchange: 6,
    openS: 33_300,
    closeS: 55_800,
    transitions: [[expect.any(Number), 19_800]],
  })
})

test('a holiday closes the day', () => {
  const text =
    'exchanges: { x: { number: 1, asset_class: equities, timezone: UTC, price_exponent: -2, size_exponent: 0, holidays: ["2026-01-26"], sessions: [{ open: "09:00", close: "10:00", days: [mon] }] } }'
  const x = loadExchanges('x.yaml', text).get('x')
  expect(isOpen(x, utc('2026-01-26T09:30:00Z'))).toBe(false)
  expect(isOpen(x, utc('2026-02-02T09:30:00Z'))).toBe(true)
})

test('numbers are unique and what is wrong is named', () => {
  const one = (n: number) => `{ number: ${n}, asset_class: fx, timezone: UTC, price_exponent: -2, size_exponent: 0 }`
  expect(() => loadExchanges('x.yaml', `exchanges: { a: ${one(1)}, b: ${one(1)} }`)).toThrow(/same number 1/)
  expect(() => loadExchanges('x.yaml', `exchanges:\n  a: ${one(256)}`)).toThrow(
    /x\.yaml:2: exchanges\.a\.number: 256 is above the most of 255/,
  )
  expect(() => exchanges.get('nope')).toThrow(/valid: binance/)
  expect(exchanges.ofInstrument(0x0600_0001)?.name).toBe('nse')
})
