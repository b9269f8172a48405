import { expect, test } from 'vitest'
import { SymbolError } from '../../../src/core/errors.js'
import { loadExchanges } from '../../../src/model/exchanges.js'
import { Registry } from '../../../src/model/registry.js'
import { createInstruments } from '../../../src/native/instruments.js'
import { MemoryTopic } from '../../support/memory-registry-store.js'

const exchanges = loadExchanges('config/exchanges.yaml')
const NSE = 6 * 0x100_0000

function open(topic: MemoryTopic) {
  const native = createInstruments()
  const bad: string[] = []
  const registry = new Registry({
    exchanges,
    store: topic.open(),
    native,
    onBadMessage: (_e, key, reason) => bad.push(`${key}: ${reason}`),
  })
  return { registry, native, bad }
}

test('a master gets ordinals in order of symbol, in the log before anybody uses them', async () => {
  const topic = new MemoryTopic()
  const { registry, native } = open(topic)
  const listed = await registry.list('nse', [{ symbol: 'TCS' }, { symbol: 'INFY' }, { symbol: 'RELIANCE' }])
  expect(listed.map((d) => d.id - NSE)).toEqual([3, 1, 2])
  expect(topic.appends).toBe(1)
  expect(native.size).toBe(3)
  expect(native.has(NSE + 3)).toBe(true)
  expect(registry.find('nse', 'INFY')).toMatchObject({ price_exponent: -4, size_exponent: 0, asset_class: 'equities' })
  await registry.list('nse', [{ symbol: 'INFY' }])
  expect(topic.appends).toBe(1)
})

test('two processes that list at once never give one id twice, nor one symbol two ids', async () => {
  const topic = new MemoryTopic()
  const processes = [open(topic), open(topic), open(topic)]
  const symbols = Array.from({ length: 60 }, (_, i) => `S${i}`)
  const results = await Promise.all(
    processes.flatMap(({ registry }, p) =>
      symbols.map((s, i) => registry.list('nse', [{ symbol: s }, { symbol: `S${(i * 7 + p) % 60}` }])),
    ),
  )
  const ids = new Map<string, Set<number>>()
  for (const d of results.flat()) ids.set(d.symbol, (ids.get(d.symbol) ?? new Set()).add(d.id))
  expect(ids.size).toBe(60)
  expect([...ids.values()].every((s) => s.size === 1)).toBe(true)
  expect(new Set([...ids.values()].flatMap((s) => [...s])).size).toBe(60)
})

test('two feeds of one instrument share its id and both find it', async () => {
  const topic = new MemoryTopic()
  const { registry } = open(topic)
  await registry.list('nse', [{ symbol: 'INFY', sources: [{ venue: 'kite', segment: '1', venue_id: '408065' }] }])
  await registry.list('nse', [{ symbol: 'INFY', sources: [{ venue: 'dhan', segment: 'NSE_EQ', venue_id: '1594' }] }])
  expect(registry.findBySource('kite', '1', '408065')?.id).toBe(NSE + 1)
  expect(registry.findBySource('dhan', 'NSE_EQ', '1594')?.id).toBe(NSE + 1)
  expect(registry.findBySource('dhan', 'BSE_EQ', '1594')).toBeUndefined()
})

test('finer exponents make a new id that supersedes the old one; the chain survives compaction; coarser ones change nothing', async () => {
  const topic = new MemoryTopic()
  const { registry } = open(topic)
  await registry.list('binance', [{ symbol: 'BTCUSDT', price_exponent: -4, size_exponent: -7 }])
  await registry.list('binance', [{ symbol: 'ETHUSDT', price_exponent: -4, size_exponent: -6 }])
  const [finer] = await registry.list('binance', [{ symbol: 'BTCUSDT', price_exponent: -6 }])
  const [coarser] = await registry.list('binance', [{ symbol: 'BTCUSDT', price_exponent: -2 }])
  expect(finer).toMatchObject({ id: 0x100_0003, price_exponent: -6, size_exponent: -7, supersedes: 0x100_0001 })
  expect(coarser?.id).toBe(0x100_0003)
  topic.compact('binance')
  const late = open(topic)
  await late.registry.refresh(['binance'])
  expect(late.registry.chain('binance', 'BTCUSDT').map((d) => d.id)).toEqual([0x100_0001, 0x100_0003])
  expect(late.registry.get(0x100_0001)?.price_exponent).toBe(-4)
  expect((await late.registry.list('binance', [{ symbol: 'AAA' }]))[0]?.id).toBe(0x100_0004)
})

test('an unknown id is looked for in the log before it is called unknown', async () => {
  const topic = new MemoryTopic()
  const [writer, reader] = [open(topic), open(topic)]
  const [listed] = await writer.registry.list('kraken', [{ symbol: 'BTC-USD' }])
  expect(reader.registry.get(listed?.id ?? 0)).toBeUndefined()
  expect((await reader.registry.resolve(listed?.id ?? 0))?.symbol).toBe('BTC-USD')
  expect(await reader.registry.resolve(0x500_0009)).toBeUndefined()
  expect(await reader.registry.resolve(0xff00_0001)).toBeUndefined()
})

test('messages that are no definition, or contradict one, are told and change nothing', async () => {
  const topic = new MemoryTopic()
  const { registry, bad } = open(topic)
  await registry.list('nse', [{ symbol: 'INFY' }])
  const other = { id: NSE + 1, exchange: 'nse', symbol: 'TCS', asset_class: 'equities', price_exponent: -2, size_exponent: 0 }
  const values = [
    'not json',
    '{}',
    JSON.stringify({ format: 1, versions: [other] }),
    JSON.stringify({ format: 1, versions: [{ ...other, id: NSE + 9, exchange: 'bse' }] }),
    JSON.stringify({ format: 1, versions: [{ ...other, id: 7 }] }),
    JSON.stringify({ format: 1, versions: [{ ...other, id: NSE + 8, price_exponent: 40 }] }),
  ].map((text) => ({ key: 'TCS', value: new TextEncoder().encode(text) }))
  values.push({ key: 'TCS', value: new Uint8Array([0xff, 0xfe]) })
  topic.messages.get('nse')?.push(...values)
  await registry.refresh(['nse'])
  expect(bad).toHaveLength(7)
  expect(registry.size).toBe(1)
  expect(registry.find('nse', 'TCS')).toBeUndefined()
})

test('a bad symbol, an unknown exchange and a failed append are refused', async () => {
  const topic = new MemoryTopic()
  const { registry } = open(topic)
  await expect(registry.list('nse', [{ symbol: 'infy' }])).rejects.toThrow(SymbolError)
  await expect(registry.list('nowhere', [{ symbol: 'A' }])).rejects.toThrow(/valid: binance/)
  const store = { ...topic.open(), append: () => Promise.reject(new Error('disk full')) }
  const failing = new Registry({ exchanges, store })
  await expect(failing.list('nse', [{ symbol: 'A' }])).rejects.toThrow('disk full')
  expect(failing.size).toBe(0)
  await expect(failing.refresh(['nse'])).resolves.toBeUndefined()
})
