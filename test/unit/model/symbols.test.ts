import { expect, test } from 'vitest'
import { shardOf, symbolsOfInstance } from '../../../src/model/shards.js'
import { futureSymbol, isSymbol, optionSymbol, symbolOf } from '../../../src/model/symbols.js'
import { parseBytes, parseDurationMs } from '../../../src/model/units.js'
import { murmur2 } from '../../../src/native/model.js'

test('symbols keep the venue’s spelling, with / as -', () => {
  expect(symbolOf('BTC/USD')).toBe('BTC-USD')
  expect(symbolOf('m&m')).toBe('M&M')
  for (const bad of ['', ' ', 'a'.repeat(41), 'BTC€', 'A\n']) expect(isSymbol(bad)).toBe(false)
  expect(() => symbolOf('BTC€')).toThrow(/not a symbol/)
})

test('Indian derivatives', () => {
  expect(futureSymbol('NIFTY', '2026-11-26')).toBe('NIFTY-20261126-F')
  expect(optionSymbol('NIFTY', '2026-11-26', '24500.00', 'call')).toBe('NIFTY-20261126-24500-C')
  expect(optionSymbol('USDINR', '2026-11-26', '92.250', 'put')).toBe('USDINR-20261126-92.25-P')
  expect(() => futureSymbol('NIFTY', '2026-02-30')).toThrow(/not a date/)
  expect(() => optionSymbol('NIFTY', '2026-11-26', '1e5', 'call')).toThrow(/not a strike/)
})

test('keys go where Java clients put them', () => {
  // Kafka's own test vectors (UtilsTest.testMurmur2).
  expect(murmur2('21') | 0).toBe(-973932308)
  expect(murmur2('foobar') | 0).toBe(-790332482)
})

test('an added instance takes over symbols and moves no other', () => {
  const symbols = Array.from({ length: 2_000 }, (_, i) => `SYM${i}`)
  const moved = symbols.filter((s) => shardOf(s, 3) !== shardOf(s, 4))
  expect(moved.every((s) => shardOf(s, 4) === 3)).toBe(true)
  expect(moved.length).toBeGreaterThan(400)
  expect(moved.length).toBeLessThan(600)
  const parts = [1, 2, 3].map((i) => symbolsOfInstance(symbols, i, 3))
  expect(parts.flat().length).toBe(2_000)
  for (const part of parts) expect(part.length).toBeGreaterThan(550)
  expect(symbolsOfInstance(symbols, 1, 1)).toEqual(symbols)
})

test('durations and sizes', () => {
  expect([parseDurationMs('250ms'), parseDurationMs('7d'), parseDurationMs('1w'), parseDurationMs('1.5s')]).toEqual([
    250,
    604_800_000,
    undefined,
    undefined,
  ])
  expect([parseBytes('64MiB'), parseBytes('1GB')]).toEqual([67_108_864, undefined])
})
