import { expect, it } from 'vitest'
import { nativeBarOptions } from '../../../../src/processors/bars/options.js'
import { zoneTransitions } from '../../../../src/processors/bars/zone.js'

it('names become numbers, in rising order', () => {
  const options = nativeBarOptions({ intervals: ['1m', '1s', '1m'], basis: ['bid', 'ask'] })
  expect(options.intervalsMs).toEqual([1_000, 60_000])
  expect(options.bases).toBe((1 << 3) | (1 << 4))
  expect(options.latenessNs).toBe(2e9)
})

it('refuses what it does not know', () => {
  expect(() => nativeBarOptions({ intervals: ['2s' as '1s'] })).toThrow()
  expect(() =>
    nativeBarOptions({ sessions: [{ exchange: 3, timezone: 'Asia/Kolkata', open: '9h15', close: '15:30' }] }),
  ).toThrow()
})

it('a session has its zone with it', () => {
  const [session] = nativeBarOptions({
    sessions: [{ exchange: 3, timezone: 'Asia/Kolkata', open: '09:15', close: '15:30' }],
  }).sessions
  expect([session?.openS, session?.closeS, session?.transitions.at(-1)]).toEqual([33_300, 55_800, 19_800])
})

it('New York changes in March 2024 at 07:00 UTC', () => {
  const pairs = zoneTransitions('America/New_York')
  const at = pairs.indexOf(Date.UTC(2024, 2, 10, 7) / 1000)
  expect(pairs[at + 1]).toBe(-4 * 3600)
  expect(pairs[at - 1]).toBe(-5 * 3600)
})
