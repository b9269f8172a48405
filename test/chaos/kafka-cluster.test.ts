/** Three real nodes under `make chaos`: the faults that other suites make under load are shown to be what they claim, on an idle cluster. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../support/kafka/cluster.js'
import { kafkaHere } from '../support/kafka/dist.js'
import { consumeForeign } from '../support/kafka/foreign/consumers.js'
import { createTopic } from '../support/kafka/java-tools.js'
import { produceLines } from '../support/kafka/kcat.js'
import { READY_SUBJECT, type Registry, startRegistry } from '../support/kafka/registry.js'
import { until } from '../support/until.js'

const topic = 'kafkasql-journal'
const SCHEMA = '{"type":"record","name":"R","fields":[{"name":"a","type":"long"}]}'

// Skipped aloud where programs that real brokers need are missing: kafkaHere names them.
describe.skipIf(!kafkaHere(['java', 'mvn', 'kcat', 'python3']))('a cluster of three', () => {
  let cluster: Cluster
  let registry: Registry

  beforeAll(async () => {
    cluster = await startCluster()
    // Its journal is the topic that the faults below are about: replicated three times, no topic tool needed.
    registry = await startRegistry(cluster.bootstrap)
    await cluster.whole()
  }, 180_000)
  afterAll(async () => {
    await registry?.stop()
    await cluster?.stop()
  })

  it('is whole: three brokers, every partition on three nodes', async () => {
    const { brokers, topics } = await cluster.state()
    expect(brokers.toSorted()).toEqual([1, 2, 3])
    expect(topics.get(topic)?.map(({ replicas, inSync }) => [replicas.length, inSync.length])).toEqual([[3, 3]])
  })

  it('kill -9 of a leader: another leads, and the node comes back in sync', async () => {
    const before = await cluster.leaderOf(topic, 0)
    const victim = cluster.node(before)
    await victim.kill()
    await until('another leader', async () => ![before, -1].includes(await cluster.leaderOf(topic, 0)), 30_000)
    await victim.start()
    await cluster.whole()
  })

  it('kill -9 of the controller: another is elected', async () => {
    const before = cluster.controllerId()
    await cluster.node(before).kill()
    await until('another controller', () => ![before, -1].includes(cluster.controllerId()), 30_000)
    await cluster.node(before).start()
    await cluster.whole()
  })

  it('a frozen node drops out of the in-sync sets and returns to them', async () => {
    const [frozen, other] = cluster.nodes
    frozen!.pause()
    const inSync = async () => (await cluster.stateFrom(other!)).topics.get(topic)?.[0]?.inSync ?? []
    await until('its replica to fall behind', async () => !(await inSync()).includes(frozen!.id), 30_000)
    frozen!.resume()
    await cluster.whole()
    expect(await inSync()).toContain(frozen!.id)
  })

  it('a wiped node copies everything again', async () => {
    const victim = cluster.nodes[2]!
    await victim.kill()
    victim.wipe()
    await victim.start()
    await cluster.whole()
  })

  it('foreign producers and consumers use it', async () => {
    await createTopic(cluster.bootstrap, 'foreign', ['--partitions', '3'])
    await produceLines(cluster.bootstrap, 'foreign', ['a:1', 'b:2'])
    const read = await consumeForeign('kcat', { bootstrap: cluster.bootstrap, topic: 'foreign', count: 2 })
    expect(read.map(({ key }) => key).toSorted()).toEqual(['a', 'b'])
    expect((await cluster.state()).topics.get('foreign')?.map(({ replicas }) => replicas.length)).toEqual([3, 3, 3])
  })

  it('the registry keeps its schemas over kill -9', async () => {
    const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
    const body = JSON.stringify({ schema: SCHEMA })
    const registered = await fetch(`${registry.url}/subjects/kept-value/versions`, { method: 'POST', headers, body })
    const { id } = (await registered.json()) as { id: number }
    await registry.kill()
    await expect(fetch(registry.url)).rejects.toThrow()
    await registry.restart()
    expect(await (await fetch(`${registry.url}/subjects`)).json()).toEqual(expect.arrayContaining(['kept-value', READY_SUBJECT]))
    const kept = (await (await fetch(`${registry.url}/schemas/ids/${id}`)).json()) as { schema: string }
    expect(JSON.parse(kept.schema)).toEqual(JSON.parse(SCHEMA))
  })
})
