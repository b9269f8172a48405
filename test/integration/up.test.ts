/** The whole path in one process: a simulated venue over a real socket, log, bars, gateway, and what each of them says. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { exitCodeOf } from '../../src/cli/errors.js'
import { systemClock } from '../../src/core/clock.js'
import { silentLogger } from '../../src/core/logging.js'
import { callControl, loadSettings, openRuntime, type Runtime, startUp, type Up } from '../../src/services/index.js'
import { until } from '../support/until.js'
import { SimulatedBinance } from '../support/venues/binance/server.js'

let venue: SimulatedBinance | undefined
let up: Up | undefined
let runtime: Runtime | undefined
const directory = mkdtempSync(join(tmpdir(), 'tickwire-up-'))

afterEach(async () => {
  await up?.stop()
  await runtime?.close()
  await venue?.stop()
  rmSync(directory, { recursive: true, force: true })
})

it('carries ticks from the venue to bars, and follows subscriptions made while running', async () => {
  venue = new SimulatedBinance({ seed: 9, eventsPerSecond: 3000 })
  await venue.start()
  const settings = loadSettings({
    environment: {},
    given: {
      data_dir: directory,
      ingestion: {
        feeds: [
          {
            exchange: 'binance',
            symbols: ['BTCUSDT', 'ETHUSDT'],
            depth_levels: 5,
            stream_url: venue.streamUrl,
            rest_url: venue.restUrl,
          },
        ],
      },
      stream: { port: 0 },
      http: { port: 0 },
    },
  })
  runtime = await openRuntime({ settings, service: 'up', clock: systemClock, logger: silentLogger })
  up = await startUp(runtime, ['ingestion', 'bars', 'stream'])
  const records = () => up?.parts.ingestion?.feeds[0]?.stats()?.records ?? 0
  await until('records', () => records() > 500)
  const health = (await (await fetch(`${up.http.url}/health`)).json()) as { status: string }
  expect(health.status).toBe('ok')
  expect(await (await fetch(`${up.http.url}/metrics`)).text()).toContain('ingestion_count_total{source="binance-0"}')

  await callControl(directory, 'subscribe', { exchange: 'binance', symbols: ['SOLUSDT'] })
  await until('the added symbol', () => runtime?.registry.find('binance', 'SOLUSDT') !== undefined)
  await expect(callControl(directory, 'subscribe', { exchange: 'kraken', symbols: ['X'] })).rejects.toThrow(
    'no feed of kraken; valid: binance',
  )

  // A second process of the same feed is told so, and leaves the first its log and its control endpoint.
  const second = await openRuntime({ settings, service: 'up', clock: systemClock, logger: silentLogger })
  const other = await startUp(second, ['ingestion'])
  expect(other.supervisor.failing?.message).toContain('another process runs the feed binance (source 0, instance 1)')
  expect(exitCodeOf(other.supervisor.failing)).toBe(3)
  await other.stop()
  await second.close()
  await callControl(directory, 'unsubscribe', { exchange: 'binance', symbols: ['SOLUSDT'] })

  const ohlcv = runtime.topics.buildTopicName('crypto', 'ohlcv', 'binance')
  const bars = async () => {
    let end = 0
    for (let partition = 0; partition < 4; partition++) end += (await runtime?.log.describe(ohlcv, partition))?.endOffset ?? 0
    return end
  }
  await until('final bars in the log', async () => (await bars()) > 3, 25_000)
  venue.cutConnections()
  await until('the feed again', () => up?.supervisor.health().status === 'ok' && (venue?.clientCount ?? 0) > 0)
  const stats = up.parts.ingestion?.feeds[0]?.stats()
  expect(stats?.books.mismatches).toBe(0)
  expect(stats?.refused).toBe(0)
})
