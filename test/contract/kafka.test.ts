/** The contract, unchanged, on the Kafka engine and a real broker; groups on both protocols. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openKafkaLog } from '../../src/log/index.js'
import { type KafkaAdmin, openKafkaAdmin } from '../../src/native/kafka.js'
import { type Broker, startBroker } from '../support/kafka/broker.js'
import { produceLines } from '../support/kafka/kcat.js'
import { startLogProcess } from '../support/log-processes.js'
import { until } from '../support/until.js'
import { describeGroups } from './groups.contract.js'
import { describeLogContract, type LogFactory } from './log.contract.js'

/** A broker of its own: every test names the same topics and groups, which are deleted behind it. */
let broker: Broker
let admin: KafkaAdmin

beforeAll(async () => {
  broker = await startBroker({
    properties: {
      // As fast as the embedded log's tests are, so that they wait no longer.
      'group.consumer.session.timeout.ms': '1500',
      'group.consumer.heartbeat.interval.ms': '300',
      'group.min.session.timeout.ms': '500',
    },
  })
  admin = openKafkaAdmin({ 'bootstrap.servers': broker.bootstrap })
}, 60_000)
afterAll(async () => {
  admin.close()
  await broker.stop()
})

const factory =
  (groupProtocol: 'consumer' | 'classic'): LogFactory =>
  async (options) => {
    const properties = { 'bootstrap.servers': broker.bootstrap }
    const open = (more: Parameters<LogFactory>[0]) => openKafkaLog({ properties, groupProtocol, replication: 1, ...more })
    const log = await open(options)
    return {
      log,
      again: open,
      start: (orders) => startLogProcess({ ...orders, place: { brokers: broker.bootstrap, groupProtocol } }),
      replacedWithinMs: 6_000,
      appendForeign: (topic, partition, value) =>
        produceLines(broker.bootstrap, `${topic}.batch`, [`:${new TextDecoder().decode(value)}`], ['-p', String(partition)]),
      end: async () => {
        await log.close()
        await cleanUp()
      },
    }
  }

/** What was killed in the middle of a call may still have made a topic, and keeps its group until its session is over. */
async function cleanUp(): Promise<void> {
  await until('the groups and topics are gone', async () => {
    const groups = (await admin.groups()).map(({ group }) => group)
    if (groups.length > 0) await admin.deleteGroups(groups)
    const names = (await admin.topics()).filter((topic) => !topic.isInternal).map((topic) => topic.name)
    if (names.length > 0) await admin.deleteTopics(names)
    return groups.length + names.length === 0
  })
}

describeLogContract('Kafka, KIP-848 groups', factory('consumer'))
describe('log contract: Kafka, classic groups', () => {
  describe('members', () => describeGroups(factory('classic')))
})

it('a topic that was deleted is not made again by whoever wrote it, on a broker that makes topics by itself', async () => {
  const topic = 'market.crypto.trades.deleted'
  const { log, end } = await factory('consumer')()
  await log.ensureTopic({ name: topic, partitions: 4 })
  const append = async () => (await log.append(topic, 3, { kind: 'opaque', key: 'a', value: new Uint8Array(8) })).status
  expect(await append()).toBe('ok')
  await admin.deleteTopics((await admin.topics()).filter(({ isInternal }) => !isInternal).map(({ name }) => name))
  await until('the topic is gone', async () => (await admin.topics()).every(({ isInternal }) => isInternal))
  // It looks for the topic for seconds.
  expect(await append()).not.toBe('ok')
  expect((await admin.topics()).filter(({ isInternal }) => !isInternal)).toEqual([])
  await end()
}, 60_000)
