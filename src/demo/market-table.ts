/** The live table of the demo's terminal: one row a symbol, redrawn in place on a TTY, one line now and then elsewhere. */
import Table from 'cli-table3'
import type { BatchView } from '../wire/index.js'
import { decimalText, type Field, fieldsOf, type InstrumentScale, NO_PRICE } from '../wire/index.js'

interface Row {
  last: string
  bid: string
  ask: string
  trades: number
  bar: string
}

const field = (record: 'trade' | 'quote' | 'bar', name: string): Field => fieldsOf(record)[name] as Field
const at = {
  id: field('trade', 'instrument_id'),
  price: field('trade', 'price'),
  bid: field('quote', 'bid_price'),
  ask: field('quote', 'ask_price'),
  interval: field('bar', 'interval_ms'),
  open: field('bar', 'open'),
  high: field('bar', 'high'),
  low: field('bar', 'low'),
  close: field('bar', 'close'),
}

export class MarketTable {
  readonly #rows = new Map<string, Row>()
  readonly #scale: (id: number) => InstrumentScale | undefined
  #linesDrawn = 0

  constructor(scale: (id: number) => InstrumentScale | undefined) {
    this.#scale = scale
  }

  take(batch: BatchView, index: number): void {
    const scale = this.#scale(batch.number(at.id, index))
    if (scale === undefined) return
    const row = this.#rows.get(scale.symbol) ?? { last: '', bid: '', ask: '', trades: 0, bar: '' }
    this.#rows.set(scale.symbol, row)
    const price = (of: Field): string => {
      const value = batch.big(of, index)
      return value === NO_PRICE ? '–' : decimalText(value, scale.priceExponent)
    }
    if (batch.name === 'trade') {
      row.last = price(at.price)
      row.trades += 1
    } else if (batch.name === 'quote') {
      row.bid = price(at.bid)
      row.ask = price(at.ask)
    } else if (batch.name === 'bar' && batch.number(at.interval, index) === 1000) {
      row.bar = `${price(at.open)} ${price(at.high)} ${price(at.low)} ${price(at.close)}`
    }
  }

  /** Draws over what it drew before. */
  draw(out: NodeJS.WriteStream, status: string): void {
    const table = new Table({
      head: ['symbol', 'last', 'bid', 'ask', 'trades', 'last 1s bar: open high low close'],
      style: { head: [], border: [] },
    })
    for (const [symbol, row] of [...this.#rows].sort())
      table.push([symbol, row.last, row.bid, row.ask, String(row.trades), row.bar])
    const text = `${table.toString()}\n${status}\n`
    if (this.#linesDrawn > 0) out.write(`\u001b[${this.#linesDrawn}A\u001b[J`)
    out.write(text)
    this.#linesDrawn = text.split('\n').length - 1
  }
}
