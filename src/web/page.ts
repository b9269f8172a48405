/**
 * The page: bars, tape, symbols, and an honest word on completeness.
 * Reads the gateway it was served from. Draws once per animation frame at most; a hidden tab only keeps the newest values.
 */
import { type BatchView, decimalText, type Field, fieldsOf, layout, NO_PRICE } from '../wire/index.js'
import { BarChart } from './chart.js'
import { type ClientSubscription, StreamClient, type TopicInfo } from './client.js'
import { BarFolder } from './forming-bar.js'

const TAPE_ROWS = 60
const intervals: Readonly<Record<string, number>> = {
  '1s': 1000,
  '5s': 5000,
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
}

const element = <T extends HTMLElement>(id: string): T => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no #${id}`)
  return found as T
}
const fieldOf = (record: keyof typeof layout.records, name: string): Field => {
  const field = fieldsOf(record)[name]
  if (field === undefined) throw new Error(`${record} has no ${name}`)
  return field
}
const trade = {
  instrument: fieldOf('trade', 'instrument_id'),
  time: fieldOf('trade', 'ts_event'),
  price: fieldOf('trade', 'price'),
  size: fieldOf('trade', 'size'),
  side: fieldOf('trade', 'side'),
}
const quote = { bid: fieldOf('quote', 'bid_price'), ask: fieldOf('quote', 'ask_price') }
const ticker = { last: fieldOf('ticker', 'last_price') }
const bar = {
  time: fieldOf('bar', 'ts_event'),
  open: fieldOf('bar', 'open'),
  high: fieldOf('bar', 'high'),
  low: fieldOf('bar', 'low'),
  close: fieldOf('bar', 'close'),
  volume: fieldOf('bar', 'volume'),
  interval: fieldOf('bar', 'interval_ms'),
  basis: fieldOf('bar', 'basis'),
  completeness: fieldOf('bar', 'completeness'),
}

interface Row {
  readonly cells: Readonly<Record<'last' | 'bid' | 'ask' | 'age', HTMLTableCellElement>>
  readonly line: HTMLTableRowElement
  last: string
  bid: string
  ask: string
  heardMs: number
}
interface TapeEntry {
  readonly time: string
  readonly price: string
  readonly size: string
  readonly side: number
}

const chart = new BarChart(element('chart'))
const rows = new Map<string, Row>()
const symbolSelect = element<HTMLSelectElement>('symbol')
const intervalSelect = element<HTMLSelectElement>('interval')
let tape: TapeEntry[] = []
let chosen:
  | { symbol: string; interval: string; folder: BarFolder; incomplete: number; subscriptions: ClientSubscription[] }
  | undefined
let client: StreamClient | undefined
let topics: readonly TopicInfo[] = []
let all: ClientSubscription[] = []
let tapeIsOld = false
let attempts = 0
let holes = 0

const ofType = (type: string): readonly TopicInfo[] => topics.filter(({ name }) => name.split('.')[2] === type)
const text = (batch: BatchView, field: Field, index: number, exponent: number): string => {
  const value = batch.big(field, index)
  return value === NO_PRICE ? '–' : decimalText(value, exponent)
}
const badge = (id: string, words: string, kind: string): void => {
  const target = element(id)
  target.textContent = words
  target.className = `badge ${kind}`
}

function rowOf(symbol: string): Row {
  const known = rows.get(symbol)
  if (known !== undefined) return known
  const line = document.createElement('tr')
  const cell = (content = '–'): HTMLTableCellElement => {
    const made = line.insertCell()
    made.textContent = content
    return made
  }
  cell(symbol)
  const row: Row = {
    line,
    cells: { last: cell(), bid: cell(), ask: cell(), age: cell() },
    last: '–',
    bid: '–',
    ask: '–',
    heardMs: 0,
  }
  line.addEventListener('click', () => choose(symbol, intervalSelect.value))
  rows.set(symbol, row)
  const after = [...rows.keys()].sort().indexOf(symbol)
  element('symbols').insertBefore(line, element('symbols').children[after] ?? null)
  symbolSelect.add(new Option(symbol, symbol), after)
  if (chosen === undefined) choose(symbol, intervalSelect.value)
  return row
}

function onValue(batch: BatchView, index: number): void {
  const instrument = client?.instruments.get(batch.number(trade.instrument, index))
  if (instrument === undefined) return
  const row = rowOf(instrument.symbol)
  row.heardMs = performance.now()
  const exponent = instrument.priceExponent
  if (batch.name === 'trade') row.last = text(batch, trade.price, index, exponent)
  else if (batch.name === 'ticker') row.last = text(batch, ticker.last, index, exponent)
  else if (batch.name === 'quote') {
    row.bid = text(batch, quote.bid, index, exponent)
    row.ask = text(batch, quote.ask, index, exponent)
  }
}

function onTrade(batch: BatchView, index: number): void {
  const instrument = client?.instruments.get(batch.number(trade.instrument, index))
  if (batch.name !== 'trade' || instrument === undefined || chosen === undefined) return
  const timeMs = Math.floor(batch.number(trade.time, index) / 1e6)
  const price = batch.number(trade.price, index) * 10 ** instrument.priceExponent
  const size = batch.number(trade.size, index) * 10 ** instrument.sizeExponent
  chart.drawForming(chosen.folder.add(timeMs, price, size))
  tape.unshift({
    time: new Date(timeMs).toISOString().slice(11, 23),
    price: text(batch, trade.price, index, instrument.priceExponent),
    size: text(batch, trade.size, index, instrument.sizeExponent),
    side: batch.number(trade.side, index),
  })
  tape = tape.slice(0, TAPE_ROWS)
  tapeIsOld = true
}

function onBar(batch: BatchView, index: number): void {
  const instrument = client?.instruments.get(batch.number(trade.instrument, index))
  if (batch.name !== 'bar' || instrument === undefined || chosen === undefined) return
  if (batch.number(bar.interval, index) !== intervals[chosen.interval]) return
  const basis = batch.number(bar.basis, index)
  if (basis !== layout.enums.bar_basis.trade && basis !== layout.enums.bar_basis.ticker) return
  const scale = 10 ** instrument.priceExponent
  const incomplete = batch.number(bar.completeness, index) !== 0
  if (incomplete) chosen.incomplete++
  const startMs = Math.floor(batch.number(bar.time, index) / 1e6)
  chosen.folder.finish(startMs)
  chart.draw({
    startMs,
    open: batch.number(bar.open, index) * scale,
    high: batch.number(bar.high, index) * scale,
    low: batch.number(bar.low, index) * scale,
    close: batch.number(bar.close, index) * scale,
    volume: batch.number(bar.volume, index) * 10 ** instrument.sizeExponent,
    incomplete,
    forming: false,
  })
}

function choose(symbol: string, interval: string): void {
  if (client === undefined) return
  for (const subscription of chosen?.subscriptions ?? []) subscription.unsubscribe()
  const scale = [...client.instruments.values()].find((instrument) => instrument.symbol === symbol)
  chart.clear(-(scale?.priceExponent ?? -2))
  tape = []
  tapeIsOld = true
  chosen = { symbol, interval, folder: new BarFolder(intervals[interval] ?? 60_000), incomplete: 0, subscriptions: [] }
  symbolSelect.value = symbol
  for (const [name, row] of rows) row.line.className = name === symbol ? 'chosen' : ''
  for (const { name } of ofType('ohlcv'))
    chosen.subscriptions.push(client.subscribe({ topic: name, symbols: [symbol], intervals: [interval], last: 500 }, onBar))
  for (const { name } of ofType('trades'))
    chosen.subscriptions.push(client.subscribe({ topic: name, symbols: [symbol] }, onTrade))
}

function drawTape(): void {
  if (!tapeIsOld) return
  tapeIsOld = false
  const body = element('tape')
  body.replaceChildren(
    ...tape.map((entry) => {
      const line = document.createElement('tr')
      line.insertCell().textContent = entry.time
      const price = line.insertCell()
      price.textContent = entry.price
      price.className = entry.side === layout.enums.side.buy ? 'buy' : entry.side === layout.enums.side.sell ? 'sell' : ''
      line.insertCell().textContent = entry.size
      return line
    }),
  )
}

function drawTable(): void {
  const now = performance.now()
  for (const row of rows.values()) {
    row.cells.last.textContent = row.last
    row.cells.bid.textContent = row.bid
    row.cells.ask.textContent = row.ask
    const seconds = (now - row.heardMs) / 1000
    row.cells.age.textContent =
      row.heardMs === 0 ? '–' : seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min`
    row.cells.age.className = seconds > 10 ? 'warn' : 'quiet'
  }
}

function drawCompleteness(): void {
  const counts = [...all, ...(chosen?.subscriptions ?? [])].map((subscription) => subscription.counts)
  const sum = (name: 'missing' | 'dropped' | 'lostUpstream' | 'venueGaps'): number =>
    counts.reduce((total, count) => total + count[name], 0)
  const missing = sum('missing')
  const dropped = sum('dropped')
  if (missing + dropped + holes > 0) badge('complete', `${(missing + dropped).toLocaleString('en')} missing`, 'warn')
  else badge('complete', 'complete', 'good')
  const words: string[] = []
  if (chosen !== undefined && chosen.incomplete > 0) words.push(`${chosen.incomplete} bars with a gap inside (amber)`)
  if (sum('lostUpstream') > 0) words.push(`${sum('lostUpstream')} records lost before the log, each in a gap record`)
  if (sum('venueGaps') > 0) words.push(`${sum('venueGaps')} gaps in the venue's own data`)
  if (dropped > 0) words.push(`${dropped} dropped because this page was slow`)
  element('note').textContent =
    words.length > 0 ? words.join(' · ') : 'No gaps. The grey bar is still forming; amber marks a bar that is not whole.'
}

async function drawAccounts(): Promise<void> {
  if (client === undefined) return
  const stats = await client.stats()
  for (const name of ['offered', 'delivered', 'conflated', 'dropped'] as const) {
    element(name).textContent = stats.reduce((total, one) => total + one[name], 0).toLocaleString('en')
  }
}

async function connect(): Promise<void> {
  badge('state', attempts === 0 ? 'connecting' : 'reconnecting', '')
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  const made = new StreamClient(new WebSocket(`${scheme}://${location.host}/stream`))
  made.onClose = (code, reason) => {
    client = undefined
    badge('state', code === 1013 ? 'too slow, disconnected' : `disconnected${reason === '' ? '' : `: ${reason}`}`, 'bad')
    // Jitter, so that ten thousand pages do not come back in one instant.
    setTimeout(() => void connect(), Math.min(10_000, 500 * 2 ** attempts++) * (0.5 + Math.random() / 2))
  }
  made.onHole = () => holes++
  try {
    await made.opened
  } catch {
    return
  }
  client = made
  attempts = 0
  topics = await made.topics()
  badge('state', 'connected', 'good')
  all = []
  for (const type of ['trades', 'tickers', 'quotes']) {
    for (const { name } of ofType(type)) all.push(made.subscribe({ topic: name, mode: 'conflate', intervalMs: 250 }, onValue))
  }
  if (chosen !== undefined) choose(chosen.symbol, chosen.interval)
}

for (const name of Object.keys(intervals)) intervalSelect.add(new Option(name, name))
symbolSelect.addEventListener('change', () => choose(symbolSelect.value, intervalSelect.value))
intervalSelect.addEventListener('change', () => choose(symbolSelect.value, intervalSelect.value))
const frame = (): void => {
  drawTape()
  requestAnimationFrame(frame)
}
requestAnimationFrame(frame)
setInterval(drawTable, 250)
setInterval(drawCompleteness, 500)
setInterval(() => void drawAccounts().catch(() => undefined), 1000)
void connect()
