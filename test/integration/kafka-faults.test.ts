/** The faults of `make chaos`, short and on one broker: a member dies, and the broker is away while ingestion dies too. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Broker, startBroker } from '../support/kafka/broker.js'
import { kafkaHere } from '../support/kafka/dist.js'
import { storm, takenOver } from '../support/kafka/load/members.js'
import { outlives } from '../support/kafka/load/outage.js'
import { LoadRun } from '../support/kafka/load/run.js'
import { SeededRandom } from '../support/venues/random.js'

const AWAY_MS = 4_000

// Skipped aloud where programs that real brokers need are missing: kafkaHere names them.
describe.skipIf(!kafkaHere())('faults under load, on one broker', () => {
  const random = new SeededRandom(11)
  let broker: Broker
  let run: LoadRun

  beforeAll(async () => {
    broker = await startBroker()
  }, 120_000)
  afterAll(() => broker.stop())
  afterEach(() => run.end())

  const start = async (groupProtocol: 'consumer' | 'classic'): Promise<void> => {
    run = new LoadRun({ brokers: broker.bootstrap, replication: 1, recordsPerSecond: 2_000, groupProtocol })
    await run.start()
  }

  // Regression: a commit that met the next generation took from the older member, for good, the partitions that it kept.
  it('a killed member of a classic group: who lives has all, nothing is skipped', async () => {
    await start('classic')
    const tookMs = await takenOver(run, 'kill', random)
    const { counted } = await run.finish()
    console.log(`owned again after ${tookMs} ms; ${JSON.stringify(counted)}`)
    expect(counted.terms).toBeGreaterThan(run.partitions)
  }, 120_000)

  it('members of a KIP-848 group come and go: order stays, no generation has two owners', async () => {
    await start('consumer')
    const told = await storm(run, { members: 2, withinMs: 2_000 }, random)
    const { counted } = await run.finish()
    console.log(`${told}; ${JSON.stringify(counted)}`)
    expect(counted.terms).toBeGreaterThan(run.partitions)
  }, 120_000)

  it('the broker and ingestion are killed: what stood in the local log is drained in order', async () => {
    await start('consumer')
    const leave = (): Promise<void> => broker.kill()
    const comeBack = (): Promise<void> => broker.node.start()
    const told = await outlives(run, { awayMs: AWAY_MS, killsIngestion: true, leave, comeBack })
    const { counted } = await run.finish()
    console.log(`${told}; ${JSON.stringify(counted)}`)
    expect(counted.records).toBeGreaterThan(AWAY_MS)
  }, 120_000)
})
