/**
 * The engine's whole path against values that others computed: a venue's bytes → capture reader → decoder → feed → ring →
 * batcher → log → the bars processor's thread → log → the oracle's counts and hashes. ../shared/data/oracles/README.md says
 * what the bars mean.
 */
import { afterEach, describe, expect, test } from 'vitest'
import type { ReplayIntoOptions } from '../../src/services/replaying.js'
import { barOracle, compareBars } from '../support/bar-oracle.js'
import { ReplaySession } from '../support/replay-session.js'
import { sharedData } from '../support/shared-data.js'

const oracle = barOracle()
let session: ReplaySession | undefined
afterEach(async () => {
  await session?.close()
  session = undefined
})

const hft = (file: string) => [`hftbacktest/${file}.gz`]
/** Databento's numbers of the instruments, which the oracle has in the place of symbols. */
const databentoNumbers: Readonly<Record<string, string>> = { ESU4: '118', ESH4: '17077' }

type SessionRecording = ReplayIntoOptions & { readonly exchange: string }

/** By the oracle's name. */
const recordings: Readonly<Record<string, SessionRecording>> = {
  binance_spot_btc_0808: { exchange: 'binance', venue: 'binance', files: hft('spot_btcusdt_20240808') },
  binance_spot_btc_0809: { exchange: 'binance', venue: 'binance', files: hft('spot_btcusdt_20240809') },
  binance_usdm_btc_0808: { exchange: 'binance_usdm', venue: 'binance_usdm', files: hft('usdm_btcusdt_20240808') },
  binance_cm_btc_0808: { exchange: 'binance_coinm', venue: 'binance_coinm', files: hft('cm_btcusd_perp_20240808') },
  cf_binance: { exchange: 'binance', venue: 'binance', files: ['cryptofeed/BINANCE.ws.1.0.gz'] },
  cf_binance_futures: { exchange: 'binance_usdm', venue: 'binance_usdm', files: ['cryptofeed/BINANCE_FUTURES.ws.1.0.gz'] },
  cf_coinbase: { exchange: 'coinbase', venue: 'coinbase', files: ['cryptofeed/COINBASE.ws.28.0.gz'] },
  kraken_v2: { exchange: 'kraken', venue: 'kraken', files: ['flashbook/kraken_v2_live-btc-eth.ndjson.gz'] },
  asx_7078_all: { exchange: 'asx', files: ['asx/trades_7078.csv.gz'] },
  asx_7078_onbook: { exchange: 'asx', declaration: 'asx-trades-onbook', files: ['asx/trades_7078.csv.gz'] },
  asx_7181_all: { exchange: 'asx', files: ['asx/trades_7181.csv.gz'] },
  lobster_aapl: { exchange: 'us', files: ['lobster/AAPL_2012-06-21_34200000_57600000_message_10.csv.gz'] },
  lean_ibm_20131008: { exchange: 'us', files: ['lean/equity_usa/ibm_tick_trade_20131008.csv.gz'] },
  lean_spy_20131007: { exchange: 'us', files: ['lean/equity_usa/spy_tick_trade_20131007.csv.gz'] },
  databento_es_trades: {
    exchange: 'glbx',
    files: ['databento/nautilus/historical_bars_catalog__futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.gz'],
  },
  databento_es_mbo: { exchange: 'glbx', files: ['databento/nautilus/esh4-glbx-mdp3-20231225.mbo.dbn.gz'] },
}

/** Its files where they lie, or undefined when they are not here. */
function located(recording: SessionRecording): SessionRecording | undefined {
  const files = recording.files.map((file) => sharedData(file))
  return files.includes(undefined) ? undefined : { ...recording, files: files as string[] }
}

describe.skipIf(oracle === undefined)('recordings replayed to bars', () => {
  test.each(Object.entries(recordings))('%s', async (name, declared) => {
    const recording = located(declared)
    if (recording === undefined) return
    session = await ReplaySession.open()
    const { stats } = await session.replay(recording)
    expect(stats.gaps).toBe(0)
    expect(stats.unknown).toEqual([])
    const { bars, stats: barStats } = await session.bars(recording.exchange, {
      input: 'trades',
      intervals: ['1s', '1m', '5m'],
      basis: 'trade',
    })
    expect(barStats.lanes.reduce((sum, lane) => sum + lane.bars.ticks, 0)).toBe(oracle?.[name]?.trades)
    const named = bars.map((bar) => ({ ...bar, symbol: databentoNumbers[bar.symbol] ?? bar.symbol }))
    const { compared, unequal } = compareBars(name, named)
    expect(unequal).toEqual([])
    expect(compared).toBeGreaterThan(0)
    const report = await session.verify()
    expect(report.damageCount + report.badBatches + report.repeats).toBe(0)
  })
})
