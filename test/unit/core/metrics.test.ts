import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Metrics, metricCatalog } from '../../../src/core/metrics.js'

test('docs/reference/metrics.md lists the metrics of the code, with kind and labels', () => {
  const document = readFileSync('docs/reference/metrics.md', 'utf8')
  const listed = [...document.matchAll(/^\| `([a-z_]+)` \| (\w+) \| ([a-z_, –]*) \|/gm)].map((m) => `${m[1]} ${m[2]} ${m[3]}`)
  const declared = Object.entries(metricCatalog).map(
    ([name, d]) => `${name} ${d.kind} ${d.labels.length === 0 ? '–' : d.labels.join(', ')}`,
  )
  expect(listed.toSorted()).toEqual(declared.toSorted())
})

test('a native total is added as its difference, also after the component began anew', async () => {
  const metrics = new Metrics()
  let total = 5
  const remove = metrics.onCollect(() => metrics.total('tickwire_feed_frames_total', { source: 'binance' }, total))
  expect(await metrics.text()).toContain('tickwire_feed_frames_total{source="binance"} 5')
  total = 9
  expect(await metrics.text()).toContain('tickwire_feed_frames_total{source="binance"} 9')
  total = 2
  expect(await metrics.text()).toContain('tickwire_feed_frames_total{source="binance"} 11')
  remove()
  total = 100
  expect(await metrics.text()).toContain('tickwire_feed_frames_total{source="binance"} 11')
})

test('a collector that fails costs no other its place in the scrape', async () => {
  const metrics = new Metrics()
  metrics.onCollect(() => {
    throw new Error('at once')
  })
  metrics.onCollect(() => Promise.reject(new Error('later')))
  metrics.onCollect(() => metrics.set('tickwire_stream_clients', {}, 3))
  const text = await metrics.text()
  expect(text).toContain('tickwire_stream_clients 3')
  expect(text).toContain('errors_total{service="metrics",code="MD_UNKNOWN"} 2')
})

test('gauges and histograms', async () => {
  const metrics = new Metrics()
  metrics.set('tickwire_stream_clients', {}, 3)
  metrics.observe('processor_latency_seconds', { processor: 'bars' }, 0.002)
  const text = await metrics.text()
  expect(text).toContain('tickwire_stream_clients 3')
  expect(text).toContain('processor_latency_seconds_count{processor="bars"} 1')
})
