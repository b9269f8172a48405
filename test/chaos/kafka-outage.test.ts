/**
 * Three real brokers away for a minute while ticks keep coming: they wait in the local log and are drained in order. CHAOS_RATE is the load
 * in records/s, CHAOS_AWAY_S how long they are away.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../support/kafka/cluster.js'
import { kafkaHere } from '../support/kafka/dist.js'
import { outlives } from '../support/kafka/load/outage.js'
import { LoadRun } from '../support/kafka/load/run.js'

const recordsPerSecond = Number(process.env.CHAOS_RATE ?? 50_000)
const awayMs = Number(process.env.CHAOS_AWAY_S ?? 60) * 1_000

// Skipped aloud where programs that real brokers need are missing: kafkaHere names them.
describe.skipIf(!kafkaHere(['java', 'mvn', 'kcat']))('all brokers are away', () => {
  let cluster: Cluster
  let run: LoadRun

  beforeAll(async () => {
    cluster = await startCluster()
  }, 180_000)
  afterAll(() => cluster?.stop())

  beforeEach(async () => {
    await cluster.whole()
    run = new LoadRun({ brokers: cluster.bootstrap, replication: 3, recordsPerSecond })
    await run.start()
    await cluster.whole()
  }, 240_000)
  afterEach(() => run?.end())

  const killed = {
    leave: async () => void (await Promise.all(cluster.nodes.map((node) => node.kill()))),
    comeBack: async () => {
      await Promise.all(cluster.nodes.map((node) => node.start()))
      await cluster.whole()
    },
  }
  const frozen = {
    leave: async () => {
      for (const node of cluster.nodes) node.pause()
    },
    comeBack: async () => {
      for (const node of cluster.nodes) node.resume()
      await cluster.whole()
    },
  }

  it.each([
    ['frozen', frozen, false],
    ['killed', killed, false],
    ['killed, and ingestion in the middle of it', killed, true],
    // What the dead ingestion had sent is still in the frozen brokers' hands, and may come twice: readers drop it.
    ['frozen, and ingestion killed in the middle of it', frozen, true],
  ] as const)('%s', async (what, how, killsIngestion) => {
    const told = await outlives(run, { awayMs, killsIngestion, ...how })
    const { counted } = await run.finish()
    console.log(
      `kafka chaos, ${recordsPerSecond}/s, ${awayMs / 1_000} s: all brokers ${what}: ${told}; ${JSON.stringify(counted)}`,
    )
    expect(counted.records).toBeGreaterThan((recordsPerSecond * awayMs) / 2_000)
  })
})
