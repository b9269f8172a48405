/** The chart of one symbol and interval: final bars from the ohlcv topic, the forming one folded from trades. */
import { CandlestickSeries, ColorType, createChart, HistogramSeries, type UTCTimestamp } from 'lightweight-charts'
import type { FormingBar } from './forming-bar.js'

const colors = { up: '#6fb3a8', down: '#c98a86', gap: '#d3a85f', forming: '#5c6878', volume: '#2f3a48' }

export interface ChartBar {
  readonly startMs: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  /** Something is missing inside: drawn in its own color. */
  readonly incomplete: boolean
  readonly forming: boolean
}

export class BarChart {
  readonly #chart
  readonly #bars
  readonly #volumes
  #newestMs = 0

  constructor(element: HTMLElement) {
    this.#chart = createChart(element, {
      autoSize: true,
      layout: { background: { type: ColorType.Solid, color: '#181d25' }, textColor: '#8791a0', attributionLogo: false },
      grid: { vertLines: { color: '#20262f' }, horzLines: { color: '#20262f' } },
      timeScale: { timeVisible: true, secondsVisible: true, borderColor: '#262d38', rightOffset: 4 },
      rightPriceScale: { borderColor: '#262d38' },
    })
    this.#bars = this.#chart.addSeries(CandlestickSeries, {
      upColor: colors.up,
      downColor: colors.down,
      wickUpColor: colors.up,
      wickDownColor: colors.down,
      borderVisible: false,
    })
    this.#volumes = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: 'volume',
      priceFormat: { type: 'volume' },
      color: colors.volume,
      lastValueVisible: false,
      priceLineVisible: false,
    })
    this.#chart.priceScale('volume').applyOptions({ scaleMargins: { top: 0.85, bottom: 0 } })
  }

  /** Starts anew; `decimals` of the instrument's prices. */
  clear(decimals: number): void {
    this.#newestMs = 0
    this.#bars.setData([])
    this.#volumes.setData([])
    const shown = Math.min(8, Math.max(0, decimals))
    this.#bars.applyOptions({ priceFormat: { type: 'price', precision: shown, minMove: 10 ** -shown } })
    this.#chart.timeScale().resetTimeScale()
  }

  draw(bar: ChartBar): void {
    const time = (bar.startMs / 1000) as UTCTimestamp
    const isOld = bar.startMs < this.#newestMs
    this.#newestMs = Math.max(this.#newestMs, bar.startMs)
    const color = bar.incomplete ? colors.gap : bar.forming ? colors.forming : undefined
    const paint = color === undefined ? {} : { color, wickColor: color }
    this.#bars.update({ time, open: bar.open, high: bar.high, low: bar.low, close: bar.close, ...paint }, isOld)
    this.#volumes.update({ time, value: bar.volume }, isOld)
  }

  drawForming(bar: FormingBar): void {
    this.draw({ ...bar, incomplete: bar.partial, forming: true })
  }
}
