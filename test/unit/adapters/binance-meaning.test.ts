import { describe, expect, it } from 'vitest'
import { readExchangeInfo, stepExponent, streamsOf } from '../../../src/adapters/binance/meaning.js'

describe('binance meaning', () => {
  it('reads step sizes', () => {
    expect(stepExponent('0.01000000')).toBe(-2)
    expect(stepExponent('1.00000000')).toBe(0)
    expect(stepExponent('10')).toBe(1)
    expect(stepExponent('0.00000001')).toBe(-8)
    for (const bad of ['', '0', '0.00', '-1', '1e-2', 'abc']) expect(() => stepExponent(bad)).toThrow('not a step size')
  })

  it('names streams', () => {
    expect(streamsOf('BTCUSDT', ['trades', 'quotes', 'book'])).toEqual([
      'btcusdt@trade',
      'btcusdt@bookTicker',
      'btcusdt@depth@100ms',
    ])
  })

  it('says which field of exchangeInfo is missing', () => {
    const body = JSON.stringify({ symbols: [{ symbol: 'X', filters: [{ filterType: 'PRICE_FILTER', tickSize: '0.1' }] }] })
    expect(() => readExchangeInfo(body)).toThrow('exchangeInfo: X has no LOT_SIZE.stepSize')
    expect(() => readExchangeInfo('{}')).toThrow('symbols')
    expect(() => readExchangeInfo('<html>')).toThrow()
  })
})
