/** The control plane on real brokers: topics, configurations, offsets, groups, refusals; and that nothing of it outlives who asked. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KafkaAuthError, KafkaError } from '../../src/core/errors.js'
import { packageRoot } from '../../src/native/addon.js'
import { type KafkaAdmin, type KafkaProperties, kafkaAddon, openKafkaAdmin, openNativeKafkaLog } from '../../src/native/kafka.js'
import { adoptNativeLog, logStatus, type NativeEngine, openNativeAppender } from '../../src/native/log.js'
import { type Broker, startBroker } from '../support/kafka/broker.js'
import { kafkaHere } from '../support/kafka/dist.js'
import { freePorts } from '../support/kafka/ports.js'
import type { SecureAccess } from '../support/kafka/security.js'
import { sharedBroker, uniqueName } from '../support/kafka/shared.js'
import { until } from '../support/until.js'

const addonFile = join(packageRoot, 'build', 'kafka', 'tickwire_kafka.node')
const here = kafkaHere()

/** What a promise was rejected with. */
const refusal = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it was not refused')
}

/** A member of a group: another client on the same librdkafka. */
interface Member {
  connect(): void
  subscribe(topics: readonly string[]): void
  consume(): void
  disconnect(): void
  on(event: string, listener: (...args: unknown[]) => void): void
}
const member = (properties: KafkaProperties): Member => {
  const { KafkaConsumer } = createRequire(import.meta.url)('node-rdkafka') as {
    KafkaConsumer: new (global: KafkaProperties, topic: KafkaProperties) => Member
  }
  return new KafkaConsumer(properties, {})
}

describe.skipIf(!here)('the control plane of a cluster', () => {
  let bootstrap = ''
  let admin: KafkaAdmin

  beforeAll(async () => {
    bootstrap = await sharedBroker()
    admin = openKafkaAdmin({ 'bootstrap.servers': bootstrap })
  }, 120_000)
  afterAll(() => admin?.close())

  const made = async (partitions = 3, config: Readonly<Record<string, string>> = {}): Promise<string> => {
    const name = uniqueName('admin')
    expect(await admin.createTopics([{ name, partitions, replicationFactor: 1, config }])).toEqual([{ name }])
    await until(`${name} has leaders`, async () => {
      const [topic] = await admin.topics([name])
      return topic?.partitions.every((each) => each.leader > 0) === true
    })
    return name
  }

  test('tells its version and what it was built with', () => {
    expect(kafkaAddon().version).toMatch(/^\d+\.\d+\.\d+/)
    expect(kafkaAddon().features).toEqual(expect.arrayContaining(['snappy', 'lz4', 'zstd', 'ssl', 'sasl_scram']))
  })

  test('names the cluster and its brokers', async () => {
    const cluster = await admin.cluster()
    const [host, port] = bootstrap.split(':')
    expect(cluster.id).not.toBe('')
    expect(cluster.brokers).toEqual([{ id: 1, host, port: Number(port) }])
    expect(cluster.controller).toBe(1)
  })

  test('makes topics and tells them; a name that is not there is left out', async () => {
    const name = await made(3, { 'cleanup.policy': 'compact', 'retention.ms': '60000' })
    const [topic, ...others] = await admin.topics([name, uniqueName('nothing')])
    expect(others).toEqual([])
    expect(topic).toMatchObject({ name, isInternal: false })
    expect(topic?.id).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(topic?.partitions).toEqual([0, 1, 2].map((partition) => ({ partition, leader: 1, replicas: [1], isr: [1] })))
    expect((await admin.topics()).map((each) => each.name)).toContain(name)
    expect(await admin.topics([])).toEqual([])
  })

  test('a topic made again has another id', async () => {
    const name = await made(1)
    const [before] = await admin.topics([name])
    expect(await admin.deleteTopics([name])).toEqual([{ name }])
    await until('the topic is gone', async () => (await admin.topics([name])).length === 0)
    await admin.createTopics([{ name, partitions: 1, replicationFactor: -1, config: {} }])
    await until('the topic is there', async () => (await admin.topics([name])).length === 1)
    const [after] = await admin.topics([name])
    expect(after?.id).not.toBe(before?.id)
  })

  test('each topic has its own outcome', async () => {
    const there = await made(1)
    const fresh = uniqueName('admin')
    const outcomes = await admin.createTopics([
      { name: there, partitions: 1, replicationFactor: 1, config: {} },
      { name: fresh, partitions: 1, replicationFactor: 1, config: {} },
      { name: `${fresh}-config`, partitions: 1, replicationFactor: 1, config: { 'no.such.setting': '1' } },
      { name: `${fresh}-replicas`, partitions: 1, replicationFactor: 7, config: {} },
    ])
    expect(outcomes.map((each) => [each.name, each.code])).toEqual([
      [there, 'TOPIC_ALREADY_EXISTS'],
      [fresh, undefined],
      [`${fresh}-config`, 'INVALID_CONFIG'],
      [`${fresh}-replicas`, 'INVALID_REPLICATION_FACTOR'],
    ])
    expect(outcomes[2]?.error).toContain('no.such.setting')
    expect((await admin.deleteTopics([uniqueName('nothing')]))[0]?.code).toBe('UNKNOWN_TOPIC_OR_PART')
  })

  test('what is only checked is not made', async () => {
    const name = uniqueName('admin')
    const wanted = [{ name, partitions: 2, replicationFactor: 1, config: {} }]
    expect(await admin.createTopics(wanted, { validateOnly: true })).toEqual([{ name }])
    expect(await admin.topics([name])).toEqual([])
    const grown = await made(2)
    expect(await admin.createPartitions([{ name: grown, total: 4 }], { validateOnly: true })).toEqual([{ name: grown }])
    expect((await admin.topics([grown]))[0]?.partitions).toHaveLength(2)
  })

  test('partitions go up and not down', async () => {
    const name = await made(2)
    expect(await admin.createPartitions([{ name, total: 5 }])).toEqual([{ name }])
    await until('five partitions', async () => (await admin.topics([name]))[0]?.partitions.length === 5)
    expect((await admin.createPartitions([{ name, total: 3 }]))[0]?.code).toBe('INVALID_PARTITIONS')
  })

  test('settings: what the topic has of its own, what is changed and what stays', async () => {
    const name = await made(1, { 'retention.ms': '60000', 'cleanup.policy': 'compact' })
    const own = async (): Promise<Record<string, string | undefined>> => {
      const [config] = await admin.topicConfigs([name])
      return Object.fromEntries(config?.entries.filter((each) => !each.isDefault).map((each) => [each.name, each.value]) ?? [])
    }
    expect(await own()).toEqual({ 'retention.ms': '60000', 'cleanup.policy': 'compact' })
    expect(await admin.alterTopicConfigs([{ name, config: { 'retention.ms': '90000' } }])).toEqual([{ name }])
    await until('the new retention', async () => (await own())['retention.ms'] === '90000')
    expect(await own()).toEqual({ 'retention.ms': '90000', 'cleanup.policy': 'compact' })
    expect((await admin.alterTopicConfigs([{ name, config: { 'retention.ms': 'soon' } }]))[0]?.code).toBe('INVALID_CONFIG')
    expect(await admin.topicConfigs([uniqueName('nothing')])).toEqual([])
  })

  test('settings of a broker, its own and its secrets apart', async () => {
    const entries = new Map((await admin.brokerConfig(1)).map((each) => [each.name, each]))
    expect(entries.get('group.consumer.session.timeout.ms')?.value).toMatch(/^\d+$/)
    expect(entries.get('node.id')).toMatchObject({ value: '1', isDefault: false })
    expect(entries.get('ssl.keystore.password')?.value).toBeUndefined()
  })

  test('first and next offset of partitions', async () => {
    const name = await made(2)
    const log = adoptNativeLog(await openNativeKafkaLog({ 'bootstrap.servers': bootstrap }))
    const appender = openNativeAppender(log, name, 1)
    let last = 0
    for (let i = 0; i < 3; i++) {
      // Busy is an answer of a producer that has just been made.
      await until('the message is taken', async () => {
        const [status, offset] = await appender.appendAsync(2, 'key', Buffer.from('value'), 1_000_000n)
        last = offset
        return logStatus(status) === 'ok'
      })
    }
    appender.close()
    expect(last).toBeGreaterThanOrEqual(2)
    const partitions = [0, 1].map((partition) => ({ topic: name, partition }))
    expect(await admin.offsets(partitions)).toEqual([
      { topic: name, partition: 0, begin: 0, end: 0 },
      { topic: name, partition: 1, begin: 0, end: last + 1 },
    ])
    expect(await admin.offsets([])).toEqual([])
    const refused = await refusal(admin.offsets([{ topic: name, partition: 9 }]))
    expect(refused).toBeInstanceOf(KafkaError)
    expect((refused as Error).message).toContain(`${name}/9`)
  })

  test('positions of a group without members are set, told and deleted', async () => {
    const topic = await made(2)
    const group = uniqueName('group')
    expect(await admin.committed(group)).toEqual([])
    const outcomes = await admin.alterCommitted(group, [
      { topic, partition: 0, offset: 0 },
      { topic, partition: 1, offset: 17 },
    ])
    expect(outcomes).toEqual([{ name: `${topic}/0` }, { name: `${topic}/1` }])
    expect(await admin.committed(group)).toEqual([
      { topic, partition: 0, offset: 0 },
      { topic, partition: 1, offset: 17 },
    ])
    expect((await admin.groups()).find((each) => each.group === group)?.state).toBe('Empty')
    expect(await admin.describeGroups([group, uniqueName('nobody')])).toMatchObject([{ group, members: [] }])
    expect(await admin.deleteGroups([group])).toEqual([{ name: group }])
    expect(await admin.committed(group)).toEqual([])
    expect((await admin.deleteGroups([group]))[0]?.code).toBe('GROUP_ID_NOT_FOUND')
  })

  test.each(['consumer', 'classic'])('members of a group of the %s protocol and what they hold', async (type) => {
    const topic = await made(2)
    const group = uniqueName('group')
    const consumer = member({
      'bootstrap.servers': bootstrap,
      'group.id': group,
      'group.protocol': type,
      'client.id': 'somebody',
    })
    consumer.on('ready', () => {
      consumer.subscribe([topic])
      consumer.consume()
    })
    consumer.connect()
    try {
      await until('the member holds both partitions', async () => {
        const [told] = await admin.describeGroups([group])
        return told?.members[0]?.assignment.length === 2
      })
      const [told] = await admin.describeGroups([group])
      expect(told).toMatchObject({ group, type, state: 'Stable', coordinator: 1 })
      expect(told?.members).toMatchObject([{ clientId: 'somebody', instanceId: undefined }])
      expect(told?.members[0]?.assignment).toEqual([0, 1].map((partition) => ({ topic, partition })))
      expect((await admin.groups()).find((each) => each.group === group)).toEqual({ group, state: 'Stable', type })
      expect((await admin.deleteGroups([group]))[0]?.code).toBe('NON_EMPTY_GROUP')
    } finally {
      const gone = new Promise((resolve) => consumer.on('disconnected', resolve))
      consumer.disconnect()
      await gone
    }
  })

  test('a wrong argument is a TypeError, a wrong property names itself and not its value', async () => {
    expect(await refusal(admin.topics('name' as unknown as string[]))).toBeInstanceOf(TypeError)
    expect(await refusal(admin.committed(7 as unknown as string))).toBeInstanceOf(TypeError)
    expect(() => openKafkaAdmin({ 'no.such.property': 'a-secret' })).toThrow(KafkaError)
    expect(() => openKafkaAdmin({ 'no.such.property': 'a-secret' })).toThrow(/^(?!.*a-secret).*no\.such\.property/)
  })

  test('a log from the other addon is adopted, something else is not', async () => {
    const log = adoptNativeLog(await openNativeKafkaLog({ 'bootstrap.servers': bootstrap }))
    expect(log.id).toBe((await admin.cluster()).id)
    expect(log.directory).toBe('')
    expect(adoptNativeLog(log.engine()).id).toBe(log.id)
    expect(() => adoptNativeLog({} as NativeEngine)).toThrow(TypeError)
  })
})

describe.skipIf(!here)('a cluster that asks who we are', () => {
  let broker: Broker
  let access: SecureAccess
  let sasl: KafkaProperties
  let mtls: KafkaProperties

  beforeAll(async () => {
    broker = await startBroker({ secureListeners: true })
    if (broker.secure === undefined) throw new Error('the broker has no secure listeners')
    access = broker.secure
    sasl = {
      'bootstrap.servers': access.saslBootstrap,
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.username': access.user,
      'sasl.password': access.password,
      'ssl.ca.location': access.ca,
    }
    mtls = {
      'bootstrap.servers': access.mtlsBootstrap,
      'security.protocol': 'SSL',
      'ssl.ca.location': access.ca,
      'ssl.certificate.location': access.client.certificate,
      'ssl.key.location': access.client.key,
    }
  }, 120_000)
  afterAll(() => broker?.stop())

  const clusterId = async (properties: KafkaProperties, timeoutMs?: number): Promise<string> => {
    const admin = openKafkaAdmin(properties, timeoutMs)
    try {
      return (await admin.cluster()).id
    } finally {
      admin.close()
    }
  }

  test('the right password and the right certificate are let in', async () => {
    const plain = await clusterId({ 'bootstrap.servers': broker.bootstrap })
    expect(await clusterId(sasl)).toBe(plain)
    expect(await clusterId(mtls)).toBe(plain)
  })

  test('a wrong password is one clear error, at once and again, that does not show it', async () => {
    // A time-out that no test waits for: the refusal does not wait for it.
    const admin = openKafkaAdmin({ ...sasl, 'sasl.password': 'not-the-password' }, 600_000)
    try {
      for (const call of [() => admin.cluster(), () => admin.topics(), () => admin.groups()]) {
        const error = (await refusal(call())) as KafkaAuthError
        expect(error).toBeInstanceOf(KafkaAuthError)
        expect(error.message).toBe(
          `${access.saslBootstrap} refused user "${access.user}" with SCRAM-SHA-512 (SASL_AUTHENTICATION_FAILED)`,
        )
        expect(JSON.stringify([error.message, error.fix, String(error.cause)])).not.toContain('not-the-password')
      }
    } finally {
      admin.close()
    }
  })

  test('the log is refused in the same words', async () => {
    const error = (await refusal(openNativeKafkaLog({ ...sasl, 'sasl.password': 'not-the-password' }))) as Error
    expect(error).toBeInstanceOf(KafkaAuthError)
    expect(error.message).toContain(`refused user "${access.user}" with SCRAM-SHA-512`)
  })

  test('a broker that we do not trust, and one that does not trust us', async () => {
    const [untrusted, unknown] = await Promise.all([
      refusal(clusterId({ ...sasl, 'ssl.ca.location': access.strangerCa }, 3_000)),
      refusal(
        clusterId(
          { ...mtls, 'ssl.certificate.location': access.stranger.certificate, 'ssl.key.location': access.stranger.key },
          3_000,
        ),
      ),
    ])
    expect(untrusted).toBeInstanceOf(KafkaAuthError)
    expect((untrusted as Error).message).toContain('certificate')
    expect(unknown).toBeInstanceOf(KafkaAuthError)
    expect((unknown as KafkaAuthError).fix).toContain('kafka.security.certificate_file')
  })
})

describe.skipIf(!here)('without a broker', () => {
  let nobody = ''
  beforeAll(async () => {
    const [port = 0] = await freePorts(1)
    nobody = `127.0.0.1:${port}`
  })

  test('each call says why after its time-out', async () => {
    const admin = openKafkaAdmin({ 'bootstrap.servers': nobody }, 500)
    for (const call of [() => admin.cluster(), () => admin.topics(), () => admin.groups(), () => admin.committed('group')]) {
      const error = (await refusal(call())) as KafkaError
      expect(error).toBeInstanceOf(KafkaError)
      expect(error).not.toBeInstanceOf(KafkaAuthError)
      expect(error.message).toContain(`no broker of ${nobody} answers`)
      expect(error.message).toContain('Connection refused')
    }
    admin.close()
  })

  test('close ends what waits', async () => {
    const admin = openKafkaAdmin({ 'bootstrap.servers': nobody }, 600_000)
    const waiting = refusal(admin.cluster())
    admin.close()
    expect(((await waiting) as Error).message).toContain('closed')
    expect(((await refusal(admin.cluster())) as Error).message).toContain('closed')
  })

  const asking = `
    const { NativeKafkaAdmin } = require(${JSON.stringify(addonFile)})
    const ask = (servers) => {
      const admin = new NativeKafkaAdmin({ 'bootstrap.servers': servers }, 600000)
      for (const call of ['cluster', 'groups']) admin[call]().catch(() => {})
    }`

  test('a Worker ends over calls that wait', async () => {
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(`${asking}; ask('${nobody}'); require('node:worker_threads').parentPort.postMessage('asked')`, {
        eval: true,
      })
      await once(worker, 'message')
      expect(await worker.terminate()).toBe(1)
    }
  })

  test('a process ends over calls that wait', async () => {
    const child = spawn(process.execPath, ['-e', `${asking}; ask('${nobody}'); setImmediate(() => process.exit(7))`])
    const [code] = await once(child, 'exit')
    expect(code).toBe(7)
  })
})
