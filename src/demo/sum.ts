/** The demo's sum: what was produced against what was delivered and what was said to be lost. */
import Table from 'cli-table3'

export interface Seen {
  /** Data records that came. */
  readonly delivered: number
  /** Holes that nothing explains. */
  readonly missing: number
  /** By the gateway's notices, because this subscriber was slow. */
  readonly dropped: number
  /** By gap records: the ring refused them. */
  readonly lostUpstream: number
}

export interface Sum {
  readonly produced: { readonly trades: number; readonly quotes: number }
  readonly checker: { readonly trades: Seen; readonly quotes: Seen }
  readonly slow: { readonly trades: Seen; readonly quotes: Seen }
  readonly ticks: number
  readonly records: number
  readonly gapRecords: number
  readonly refused: number
  readonly bookMismatches: number
  readonly bars: number
  readonly framesOut: number
  readonly dropped: number
  readonly bytesPerTick: number
  readonly hops: readonly { readonly hop: string; readonly p50: number; readonly p99: number }[]
  readonly damage: number
  readonly hash: string
  /** On a Kafka cluster: the record hash of what was ingested, there and in the local log. */
  readonly cluster?: ClusterSum | undefined
}

export interface ClusterSum {
  readonly local: string
  readonly kafka: string
  readonly records: number
  readonly messages: number
  readonly viewRecords: number
  /** Records of the local log that the brokers have not acknowledged, when the demo waited no longer. */
  readonly waiting: number
}

const balanced = (produced: number, seen: Seen): boolean =>
  seen.missing === 0 && seen.delivered + seen.dropped + seen.lostUpstream === produced

const isBalanced = (sum: Sum): boolean =>
  [sum.checker, sum.slow].every(
    (client) => balanced(sum.produced.trades, client.trades) && balanced(sum.produced.quotes, client.quotes),
  )

export const sumOk = (sum: Sum): boolean =>
  sum.damage === 0 &&
  sum.bookMismatches === 0 &&
  (sum.cluster === undefined || sum.cluster.kafka === sum.cluster.local) &&
  isBalanced(sum)

const micro = (ns: number): string => `${(ns / 1000).toFixed(1)} µs`

function clusterText(cluster: ClusterSum | undefined): string[] {
  if (cluster === undefined) return []
  const { kafka, local, records, messages, viewRecords, waiting } = cluster
  const missing = waiting > 0 ? `the brokers have not taken everything yet, ${waiting} records wait for them` : 'NOT EQUAL'
  return [
    `on Kafka: ${records} records in ${messages} messages, ${viewRecords} records in the open views`,
    `hash of what was ingested: Kafka ${kafka}, local log ${local}: ${kafka === local ? 'equal' : missing}`,
  ]
}

export function sumText(sum: Sum): string {
  const plain = { style: { head: [], border: [] } }
  const account = new Table({
    head: ['subscriber', 'kind', 'produced', 'delivered', 'gap: ring', 'gap: slow client', 'unexplained', ''],
    ...plain,
  })
  for (const [name, client] of [
    ['reads all', sum.checker],
    ['stalled once', sum.slow],
  ] as const) {
    for (const kind of ['trades', 'quotes'] as const) {
      const seen = client[kind]
      const produced = sum.produced[kind]
      account.push(
        [
          name,
          kind,
          produced,
          seen.delivered,
          seen.lostUpstream,
          seen.dropped,
          seen.missing,
          balanced(produced, seen) ? 'equal' : 'NOT EQUAL',
        ].map(String),
      )
    }
  }
  const hops = new Table({ head: ['hop', 'p50', 'p99'], ...plain })
  for (const { hop, p50, p99 } of sum.hops) hops.push([hop, micro(p50), micro(p99)])
  return [
    '',
    account.toString(),
    hops.toString(),
    `ticks in ${sum.ticks}   records ${sum.records}   bars ${sum.bars}   frames out ${sum.framesOut}`,
    `gap records ${sum.gapRecords} for ${sum.refused} refused by the ring   dropped for slow subscribers ${sum.dropped}   bytes per record in the log ${sum.bytesPerTick.toFixed(1)}`,
    `record hash ${sum.hash}`,
    ...clusterText(sum.cluster),
    isBalanced(sum) ? 'produced = delivered + gaps' : 'produced ≠ delivered + gaps',
    '',
  ].join('\n')
}
