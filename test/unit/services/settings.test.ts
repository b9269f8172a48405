import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadExchanges } from '../../../src/model/exchanges.js'
import { checkExchanges, environmentOverrides, loadSettings, settingsSchema } from '../../../src/services/settings.js'

test('without a file everything has its default', () => {
  const settings = loadSettings({ environment: {} })
  expect(settings).toMatchObject({
    data_dir: './data',
    bars: { intervals: ['1s', '1m'] },
    stream: { port: 8080, host: '127.0.0.1' },
  })
})

test('the example file is valid and says the defaults', () => {
  const settings = loadSettings({ file: 'config/tickwire.yaml', environment: {} })
  checkExchanges(settings, loadExchanges('config/exchanges.yaml'))
  expect(settings.ingestion.feeds).toHaveLength(1)
  const { ingestion, ...rest } = settings
  const { ingestion: _default, ...defaults } = loadSettings({ environment: {} })
  expect(rest).toEqual(defaults)
})

test('the owner’s variables override, and are checked', () => {
  expect(loadSettings({ environment: { INSTANCE_ID: '2', TOTAL_INSTANCES: '3' } }).ingestion).toMatchObject({
    instance_id: 2,
    total_instances: 3,
  })
  expect(() => loadSettings({ environment: { INSTANCE_ID: '4', TOTAL_INSTANCES: '3' } })).toThrow(/4 of 3 instances/)
  expect(() => loadSettings({ environment: { TICKWIRE_HTTP_PORT: 'x' } })).toThrow(/environment TICKWIRE_HTTP_PORT: http\.port/)
})

test('two feeds of one source and unknown exchanges are refused', () => {
  const exchanges = loadExchanges('config/exchanges.yaml')
  const feeds = (...list: object[]) => loadSettings({ environment: {}, given: { ingestion: { feeds: list } } })
  const one = { exchange: 'binance', symbols: ['BTCUSDT'] }
  expect(() => checkExchanges(feeds(one, one), exchanges)).toThrow(/two feeds are binance-0/)
  expect(() => checkExchanges(feeds({ ...one, exchange: 'nowhere' }), exchanges)).toThrow(/no exchange "nowhere"/)
  expect(() => feeds({ ...one, symbols: ['btc'] })).toThrow(/symbols\[0\]/)
})

test('docs/reference/configuration.md lists every setting and every variable', () => {
  const document = readFileSync('docs/reference/configuration.md', 'utf8')
  const listed = new Set([...document.matchAll(/^\| `([a-z_.[\]]+)` \|/gm)].map((m) => m[1]))
  const paths: string[] = []
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) paths.push(path)
    else for (const [key, item] of Object.entries(value)) walk(item, path === '' ? key : `${path}.${key}`)
  }
  walk(loadSettings({ environment: {} }), '')
  expect([...listed]).toEqual(expect.arrayContaining(paths))
  for (const { name } of environmentOverrides) expect(document).toContain(`\`${name}\``)
  expect(Object.keys(settingsSchema.shape)).toEqual(expect.arrayContaining(['topics_file', 'exchanges_file']))
})
