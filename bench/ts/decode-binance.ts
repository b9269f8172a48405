/** decode.binance-trade-js: a chunk of trade messages handed over in one call, against JSON.parse of each line. */
import { compare, emit, scale } from './compare.js'
import { mix, peer } from './peer.js'

const LINES = 2000
const lines: string[] = []
for (let i = 0; i < LINES; i++) {
  const price = `${61000 + (i % 1000)}.${String(i % 100).padStart(2, '0')}000000`
  const size = `0.${String(i % 100_000).padStart(5, '0')}000`
  lines.push(
    `{"e":"trade","E":${1723161255343 + i},"s":"BTCUSDT","t":${3735683259 + i},"p":"${price}","q":"${size}","T":${1723161255342 + i},"m":${i % 3 === 0},"M":true}`,
  )
}
const chunk = Buffer.from(lines.join('\n'))

interface Trade {
  t: number
  p: string
  q: string
  m: boolean
}

function theirs(rounds: number) {
  let hash = 0
  for (let round = 0; round < rounds; round++) {
    hash = 0
    for (const line of lines) {
      const trade = JSON.parse(line) as Trade
      hash = mix(
        mix(mix(mix(hash, Math.round(Number(trade.p) * 100)), Math.round(Number(trade.q) * 1e5)), trade.t),
        trade.m ? 1 : 0,
      )
    }
  }
  return { operations: rounds * LINES, hash: hash.toString(16) }
}

function ours(rounds: number) {
  let hash = 0
  for (let round = 0; round < rounds; round++) hash = peer.binanceLines(chunk)
  return { operations: rounds * LINES, hash: hash.toString(16) }
}

const rounds = Math.ceil(400 * scale())
emit(
  await compare({
    id: 'decode.binance-trade-js',
    peer: 'JSON.parse',
    unit: 'ns',
    ours: () => ours(rounds),
    theirs: () => theirs(Math.ceil(rounds / 10)),
  }),
)
