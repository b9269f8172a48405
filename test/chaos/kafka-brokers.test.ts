/**
 * Faults of brokers under load: three real nodes with the settings that the project ships, a local log that is replicated to them, and a
 * member that reads. CHAOS_SEED chooses the victims and the moments; CHAOS_RATE is the load in records/s.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../support/kafka/cluster.js'
import { kafkaHere } from '../support/kafka/dist.js'
import { toldHoles } from '../support/kafka/load/holes.js'
import { LoadRun } from '../support/kafka/load/run.js'
import type { KafkaNode } from '../support/kafka/node.js'
import { SeededRandom } from '../support/venues/random.js'

/** Promised: for so long at most nothing is acknowledged or delivered, of all partitions and of each. */
const HOLE_MS_MAX = 8_000
const FROZEN_MS = 20_000
const recordsPerSecond = Number(process.env.CHAOS_RATE ?? 5_000)
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Date.now() / 1_000) % 1_000_000)

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

// Skipped aloud where programs that real brokers need are missing: kafkaHere names them.
describe.skipIf(!kafkaHere(['java', 'mvn', 'kcat']))(`brokers fail under load, seed ${seed}`, () => {
  const random = new SeededRandom(seed)
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
    await run.flows()
    await run.measure()
    await pause(random.integer(500, 2_000))
  }, 240_000)
  afterEach(() => run?.end())

  const leader = async (): Promise<KafkaNode> =>
    cluster.node(await cluster.leaderOf(`${run.topic}.batch`, random.integer(0, run.partitions - 1)))
  const controller = (): KafkaNode => cluster.node(cluster.controllerId())

  const survives = async (fault: string, node: KafkaNode | undefined): Promise<void> => {
    await run.flows()
    const holes = run.holes()
    const { counted } = await run.finish()
    const victim = node === undefined ? '' : ` of node ${node.id}`
    console.log(
      `kafka chaos, seed ${seed}, ${recordsPerSecond}/s: ${fault}${victim}: ${toldHoles(holes)}; ${JSON.stringify(counted)}`,
    )
    for (const { overall, partitions } of [holes.acks, holes.deliveries]) {
      expect(Math.max(overall, ...partitions), `longest hole, CHAOS_SEED=${seed}`).toBeLessThan(HOLE_MS_MAX)
    }
  }

  const killAndStart = async (node: KafkaNode, wipes: boolean): Promise<void> => {
    await node.kill()
    if (wipes) node.wipe()
    // Long enough that its partitions have to find other leaders.
    await run.flows()
    await node.start()
    await cluster.whole()
  }

  it('kill -9 of a leader', async () => {
    const node = await leader()
    await killAndStart(node, false)
    await survives('kill -9 of a leader', node)
  })

  it('kill -9 of the controller', async () => {
    const node = controller()
    await killAndStart(node, false)
    await survives('kill -9 of the controller', node)
  })

  it('a leader that is frozen and comes back', async () => {
    const node = await leader()
    node.pause()
    await pause(FROZEN_MS)
    node.resume()
    await cluster.whole()
    await survives(`SIGSTOP for ${FROZEN_MS / 1_000} s of a leader`, node)
  })

  it('a rolling restart', async () => {
    for (const node of cluster.nodes) {
      await node.restart()
      await cluster.whole()
    }
    await survives('a rolling restart', undefined)
  })

  it('ingestion and a leader are killed together, three times', async () => {
    for (let i = 0; i < 3; i++) {
      const node = await leader()
      await Promise.all([node.kill(), run.producer.kill()])
      await run.produce()
      await run.flows()
      await node.start()
      await cluster.whole()
    }
    const { repeats } = run.producer.status
    const { counted } = await run.finish()
    console.log(`kafka chaos, seed ${seed}: ingestion and a leader, ${repeats} left out last; ${JSON.stringify(counted)}`)
  })

  it('a node that lost its log directory', async () => {
    const node = await leader()
    await killAndStart(node, true)
    await survives('kill -9 and wiped log directory', node)
  })
})
