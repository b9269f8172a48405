/** The bar that is not final yet, folded from trades as the engine folds them: event time, aligned to the clock. */
export interface FormingBar {
  readonly startMs: number
  open: number
  high: number
  low: number
  close: number
  volume: number
  /** The first trade seen may not be the bar's first. */
  partial: boolean
}

export class BarFolder {
  readonly #intervalMs: number
  readonly #bars = new Map<number, FormingBar>()
  #isFirst = true

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** The bar that the trade belongs to. */
  add(tsEventMs: number, price: number, size: number): FormingBar {
    const startMs = Math.floor(tsEventMs / this.#intervalMs) * this.#intervalMs
    const bar = this.#bars.get(startMs)
    if (bar === undefined) {
      const made = { startMs, open: price, high: price, low: price, close: price, volume: size, partial: this.#isFirst }
      this.#isFirst = false
      this.#bars.set(startMs, made)
      return made
    }
    bar.high = Math.max(bar.high, price)
    bar.low = Math.min(bar.low, price)
    bar.close = price
    bar.volume += size
    return bar
  }

  /** The final bar of that start came: what was folded for it and before is over. */
  finish(startMs: number): void {
    for (const start of this.#bars.keys()) if (start <= startMs) this.#bars.delete(start)
  }

  isOpen(startMs: number): boolean {
    return this.#bars.has(startMs)
  }
}
