import { expect, test } from 'vitest'
import { listingTexts, readListing, risingRuns } from '../../../src/ingestion/listings.js'
import type { InstrumentDefinition } from '../../../src/model/instrument.js'

const definition = (id: number, symbol: string): InstrumentDefinition => ({
  id,
  exchange: 'binance',
  symbol,
  asset_class: 'crypto',
  price_exponent: -4,
  size_exponent: -7,
  sources: [{ venue: 'binance', segment: '', venue_id: '', venue_symbol: symbol }],
})

test('what is written is read, in the order of ids and in items of a bounded size', () => {
  const many = Array.from({ length: 5_001 }, (_, i) => definition(5_001 - i, `S${i}`))
  const texts = listingTexts('binance', many)
  expect(texts).toHaveLength(2)
  const read = texts.map((text) => readListing(text))
  expect(read.map((each) => each?.instruments.length)).toEqual([5_000, 1])
  expect(read[0]?.instruments[0]).toMatchObject({ symbol: 'S5000', price_exponent: -4, size_exponent: -7 })
  expect(read[0]?.exchange).toBe('binance')
  expect(listingTexts('binance', [])).toEqual([])
})

test('text that is no listing is told, not thrown', () => {
  const good = listingTexts('binance', [definition(1, 'A')])[0] ?? ''
  for (const text of [
    '',
    '{',
    '[]',
    '{"format":2}',
    good.replace('"A"', '"a b"'),
    good.replace('-4', '-400'),
    good.slice(0, -1),
  ]) {
    expect(readListing(text)).toBeUndefined()
  }
})

test('runs of rising symbols keep the order', () => {
  const runs = risingRuns(['B', 'C', 'A', 'A', 'D'].map((symbol) => ({ symbol })))
  expect(runs.map((run) => run.map(({ symbol }) => symbol).join(''))).toEqual(['BC', 'A', 'AD'])
})
