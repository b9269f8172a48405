/** The test support stands on real servers: each claim that other tests build on is shown here once. */
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Broker, startBroker } from '../support/kafka/broker.js'
import { kafkaHere } from '../support/kafka/dist.js'
import { consumeForeign, foreignKinds } from '../support/kafka/foreign/consumers.js'
import { clusterState, produceLines } from '../support/kafka/kcat.js'
import type { Certificate } from '../support/kafka/security.js'
import { sharedBroker, sharedRegistry, uniqueName } from '../support/kafka/shared.js'

const START_MS = 120_000

describe.skipIf(!kafkaHere(['java', 'mvn', 'kcat', 'python3', 'openssl']))('Kafka test support', () => {
  describe('one broker for the whole run', () => {
    let bootstrap: string
    const topic = uniqueName('foreign')

    beforeAll(async () => {
      bootstrap = await sharedBroker()
      await produceLines(bootstrap, topic, ['AAPL:one', 'MSFT:two', 'AAPL:three'], ['-H', 'kind=test'])
    }, START_MS)

    it('is the same broker for whoever asks', async () => {
      expect(await sharedBroker()).toBe(bootstrap)
    })

    it.each(foreignKinds)('%s reads keys, values, headers and positions', async (kind) => {
      const messages = await consumeForeign(kind, { bootstrap, topic, count: 3 })
      expect(messages.map(({ key, offset, value }) => [key, offset, value.toString()])).toEqual([
        ['AAPL', 0, 'one'],
        ['MSFT', 1, 'two'],
        ['AAPL', 2, 'three'],
      ])
      expect(messages.every((each) => each.headers.kind === 'test' && each.timestamp > 0)).toBe(true)
    })

    it('a consumer that does not get its messages fails and says how many it had', async () => {
      await expect(consumeForeign('confluent-kafka', { bootstrap, topic, count: 4, timeoutMs: 4_000 })).rejects.toThrow(
        /read 3 of 4 messages/,
      )
    })

    it(
      'a registry keeps its schemas in it',
      async () => {
        const url = await sharedRegistry()
        const subject = uniqueName('support')
        const response = await fetch(`${url}/subjects/${subject}/versions`, {
          method: 'POST',
          headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
          body: JSON.stringify({ schema: '{"type":"record","name":"R","fields":[{"name":"a","type":"long"}]}' }),
        })
        expect(response.status).toBe(200)
        expect((await clusterState(bootstrap)).topics.has('kafkasql-journal')).toBe(true)
      },
      START_MS,
    )
  })

  describe('a broker of its own', () => {
    let broker: Broker

    beforeAll(async () => {
      broker = await startBroker({ secureListeners: true })
    }, START_MS)
    afterAll(() => broker.stop())

    it('keeps its data through kill -9 and restart', async () => {
      await produceLines(broker.bootstrap, 'kept', ['a:1', 'b:2'])
      const killed = broker.pid
      await broker.kill()
      await expect(clusterState(broker.bootstrap, { timeoutSeconds: 1 })).rejects.toThrow()
      await broker.restart()
      expect(broker.pid).not.toBe(killed)
      expect(await consumeForeign('kcat', { bootstrap: broker.bootstrap, topic: 'kept', count: 2 })).toHaveLength(2)
    })

    // Not with kcat: Debian 12 links it to librdkafka 2.0.2, whose SCRAM this broker refuses.
    it('SCRAM-SHA-512 over TLS: the right password is let in, a wrong one is not', async () => {
      const { saslBootstrap, user, password, ca } = broker.secure!
      await produceLines(broker.bootstrap, 'secret', ['a:1'])
      const read = (given: string) =>
        consumeForeign('confluent-kafka', {
          bootstrap: saslBootstrap,
          topic: 'secret',
          count: 1,
          timeoutMs: 8_000,
          properties: {
            'security.protocol': 'SASL_SSL',
            'sasl.mechanisms': 'SCRAM-SHA-512',
            'ssl.ca.location': ca,
            'sasl.username': user,
            'sasl.password': given,
          },
        })
      expect((await read(password)).map(({ value }) => value.toString())).toEqual(['1'])
      await expect(read('wrong')).rejects.toThrow(/invalid credentials with SASL mechanism SCRAM-SHA-512/)
    })

    it('mTLS: a certificate of our authority is let in; none, a stranger and a strange broker are not', async () => {
      const { mtlsBootstrap, ca, client, stranger, strangerCa } = broker.secure!
      const tls = { 'security.protocol': 'SSL', 'ssl.ca.location': ca }
      const identity = (each: Certificate) => ({ 'ssl.certificate.location': each.certificate, 'ssl.key.location': each.key })
      const ask = (properties: Record<string, string>) => clusterState(mtlsBootstrap, { properties, timeoutSeconds: 2 })
      expect((await ask({ ...tls, ...identity(client) })).brokers).toEqual([1])
      await expect(ask(tls)).rejects.toThrow(/SSL|Disconnected/)
      await expect(ask({ ...tls, ...identity(stranger) })).rejects.toThrow(/SSL|Disconnected/)
      await expect(ask({ ...tls, ...identity(client), 'ssl.ca.location': strangerCa })).rejects.toThrow(
        /certificate verify failed/,
      )
    })

    it('leaves no directory behind', async () => {
      await broker.stop()
      expect(existsSync(broker.logDirectory)).toBe(false)
    })
  })

  it('a broker that cannot start tells the end of its log', async () => {
    await expect(startBroker({ properties: { 'num.network.threads': 'many' } })).rejects.toThrow(/num\.network\.threads/)
  })
})
