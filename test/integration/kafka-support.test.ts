/** The test support stands on real servers: each claim that other tests build on is shown here once. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageRoot } from '../../src/native/addon.js'
import { type Broker, startBroker } from '../support/kafka/broker.js'
import { kafkaHere } from '../support/kafka/dist.js'
import { consumeForeign, foreignKinds } from '../support/kafka/foreign/consumers.js'
import { clusterState, produceLines } from '../support/kafka/kcat.js'
import type { Certificate } from '../support/kafka/security.js'
import { sharedBroker, sharedRegistry, uniqueName } from '../support/kafka/shared.js'
import { until } from '../support/until.js'

const START_MS = 120_000

// Skipped aloud where programs that real brokers need are missing: kafkaHere names them.
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
      await expect(consumeForeign('confluent-kafka', { bootstrap, topic, count: 4, timeoutMs: 3_000 })).rejects.toThrow(
        /read \d of 4 messages/,
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
      broker = await startBroker({ secureListeners: true, faultProxy: true })
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

    it('a network between them that refuses, freezes and heals', async () => {
      const { bootstrap, network } = broker.proxied!
      const ask = () => clusterState(bootstrap, { timeoutSeconds: 2 })
      expect((await ask()).brokers).toEqual([1])
      // The answer names the proxy as the broker's address: nobody goes around it.
      expect(network.passed.fromBroker).toBeGreaterThan(0)
      network.refuse()
      await expect(ask()).rejects.toThrow(/transport failure|Connection reset|Disconnected/i)
      network.heal()
      expect((await ask()).brokers).toEqual([1])
      network.freeze()
      const before = network.passed.fromClients
      await expect(ask()).rejects.toThrow()
      expect(network.passed.fromClients).toBe(before)
      network.delay(1)
      network.heal()
      await produceLines(bootstrap, 'healed', ['a:1'])
      expect(await consumeForeign('kcat', { bootstrap, topic: 'healed', count: 1 })).toHaveLength(1)
    })

    it('leaves no directory behind', async () => {
      await broker.stop()
      expect(existsSync(broker.logDirectory)).toBe(false)
    })
  })

  it('a server does not outlive the process that started it, even one that is killed', async () => {
    const daemon = join(packageRoot, 'test', 'support', 'kafka', 'daemon.ts')
    const directory = mkdtempSync(join(tmpdir(), 'tickwire-orphan-'))
    const bundle = join(directory, 'starter.mjs')
    const contents = `import { Daemon } from ${JSON.stringify(daemon)}
      const server = new Daemon({ name: 'sleep', program: 'sleep', args: ['600'], logFile: ${JSON.stringify(join(directory, 'log'))} })
      console.log(server.pid)`
    await build({ stdin: { contents, resolveDir: packageRoot }, outfile: bundle, bundle: true, platform: 'node', format: 'esm' })
    const starter = spawn(process.execPath, [bundle], { stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = Number(await new Promise((resolve) => starter.stdout.once('data', resolve)))
    const runs = () => existsSync(`/proc/${pid}`)
    expect(runs()).toBe(true)
    starter.kill('SIGKILL')
    await until('the server to be gone', () => !runs())
    rmSync(directory, { recursive: true })
  })

  it('a broker that cannot start tells the end of its log', async () => {
    await expect(startBroker({ properties: { 'num.network.threads': 'many' } })).rejects.toThrow(/num\.network\.threads/)
    // Nor does it leave its directory.
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`tickwire-server-broker-${process.pid}-`))).toEqual([])
  })
})
