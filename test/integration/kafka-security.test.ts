/** From settings and environment to a broker that asks who comes: SASL_SSL with SCRAM-SHA-512, client certificates, and every way to be refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigError, KafkaAuthError, KafkaError } from '../../src/core/errors.js'
import { type KafkaLog, kafkaProperties, openKafkaLog } from '../../src/log/index.js'
import { kafkaShape } from '../../src/log/kafka/connection.js'
import { type KafkaAdmin, openKafkaAdmin } from '../../src/native/kafka.js'
import { tradeRun } from '../support/batches.js'
import { cli } from '../support/cli.js'
import { type Broker, startBroker } from '../support/kafka/broker.js'
import { kafkaHere } from '../support/kafka/dist.js'
import type { SecureAccess } from '../support/kafka/security.js'
import { uniqueName } from '../support/kafka/shared.js'
import { until } from '../support/until.js'

const WRONG = 'not-what-it-is'
const TIMEOUT_MS = 3_000
const shape = z.strictObject(kafkaShape)
type Given = z.input<typeof shape>

async function refusal(work: Promise<unknown>): Promise<Error> {
  try {
    await work
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error('it was let in')
}

// Skipped aloud where programs that real brokers need are missing: kafkaHere names them.
describe.skipIf(!kafkaHere(['java', 'mvn', 'openssl']))('a broker that asks who comes', () => {
  let broker: Broker
  let access: SecureAccess
  let right: Readonly<Record<string, string>>
  let logs: KafkaLog[] = []
  let told: string[] = []

  const sasl = (security: Given['security'] = {}): Given => ({
    brokers: access.saslBootstrap,
    security: { protocol: 'sasl_ssl', username: access.user, ca_file: access.ca, ...security },
  })
  const mtls = (security: Given['security'] = {}): Given => ({
    brokers: access.mtlsBootstrap,
    security: { protocol: 'ssl', ca_file: access.ca, ...security },
  })
  const identity = (of: 'client' | 'stranger') => ({ certificate_file: access[of].certificate, key_file: access[of].key })

  const open = async (given: Given, environment = right): Promise<KafkaLog> => {
    const properties = kafkaProperties(shape.parse(given), environment)
    const log = await openKafkaLog({ properties, replication: 1, minIsr: 1, onLog: (_, text) => told.push(text) })
    logs.push(log)
    return log
  }

  /** Appends and reads back, as whoever the settings say. */
  async function use(given: Given): Promise<void> {
    const log = await open(given)
    const topic = `market.crypto.trades.${uniqueName('secure').replace('-', '_')}`
    const value = tradeRun(1, 10)
    await log.ensureTopic({ name: topic })
    expect((await log.append(topic, 0, { kind: 'batch', value })).status).toBe('ok')
    const read: number[] = []
    for await (const batch of log.read({ topics: [topic], from: 'begin' })) read.push(batch.records)
    expect(read).toEqual([10])
  }

  /** What a client is told that is not let in; a short time-out, because what TLS refuses is tried again until then. */
  async function refusedWith(given: Given): Promise<Error> {
    const admin = openKafkaAdmin(kafkaProperties(shape.parse(given), right), TIMEOUT_MS)
    try {
      return await refusal(admin.cluster())
    } finally {
      admin.close()
    }
  }

  /** When the broker refused somebody's password, by its own log: milliseconds. */
  function refusals(): number[] {
    const lines = readFileSync(join(dirname(broker.logDirectory), 'server.log'), 'utf8').split('\n')
    return lines
      .filter((line) => line.includes('Failed authentication') && line.includes('invalid credentials'))
      .map((line) => Date.parse(line.slice(1, 24).replace(' ', 'T').replace(',', '.')))
  }

  beforeAll(async () => {
    broker = await startBroker({ secureListeners: true })
    access = broker.secure!
    right = { KAFKA_SASL_PASSWORD: access.password }
  }, 120_000)
  afterEach(async () => {
    for (const log of logs) await log.close()
    logs = []
    told = []
  })
  afterAll(() => broker?.stop())

  it('a user with the right password appends and reads', () => use(sasl()))

  it('a client with a certificate of the authority appends and reads', () => use(mtls(identity('client'))))

  it('a wrong password is one clear error that names user and mechanism, and shows the password nowhere', async () => {
    const error = await refusal(open(sasl(), { KAFKA_SASL_PASSWORD: WRONG }))
    expect(error).toBeInstanceOf(KafkaAuthError)
    expect(error).toMatchObject({ exitCode: 3, retryClass: 'AUTH', code: 'MD_KAFKA_AUTH' })
    expect(error.message).toContain(access.user)
    expect(error.message).toContain('SCRAM-SHA-512')
    const shown = JSON.stringify({ ...error, message: error.message, stack: error.stack, cause: String(error.cause) })
    expect(shown + told.join('\n')).not.toContain(WRONG)
  })

  it('a client that goes on asking with a wrong password backs off', async () => {
    const properties = kafkaProperties(shape.parse(sasl()), { KAFKA_SASL_PASSWORD: WRONG })
    const before = refusals().length
    const attempts = 8
    const admin: KafkaAdmin = openKafkaAdmin(properties)
    let asked = 0
    try {
      await until('the broker to refuse it some times', async () => {
        asked++
        expect(await refusal(admin.topics())).toBeInstanceOf(KafkaAuthError)
        return refusals().length - before >= attempts
      })
    } finally {
      admin.close()
    }
    const times = refusals().slice(before, before + attempts)
    const lastGapMs = times.at(-1)! - times.at(-2)!
    // A slow machine only makes it longer.
    expect(lastGapMs).toBeGreaterThan(250)
    console.log(`asked ${asked} times; gaps between refusals: ${times.slice(1).map((at, i) => at - times[i]!)} ms`)
  })

  it.concurrent.each([
    ['a user that is not there', () => sasl({ username: 'nobody' }), /nobody.*SCRAM-SHA-512/],
    ['a mechanism that the broker does not offer', () => sasl({ mechanism: 'SCRAM-SHA-256' }), /SCRAM-SHA-256/],
    ['an authority that did not sign the broker', () => sasl({ ca_file: access.strangerCa }), /certificate/],
    ['no client certificate', () => mtls(), /certificate/],
    ['a client certificate of another authority', () => mtls(identity('stranger')), /certificate/],
    ['another authority on the mTLS port', () => mtls({ ...identity('client'), ca_file: access.strangerCa }), /certificate/],
  ] as const)('%s is refused with what is wrong', async (_, given, expected) => {
    const error = await refusedWith(given())
    expect(error).toBeInstanceOf(KafkaAuthError)
    expect(error.message).toMatch(expected)
  })

  it.concurrent.each([
    ['no TLS on the SASL_SSL port', () => ({ brokers: access.saslBootstrap })],
    ['TLS without SASL on the SASL_SSL port', () => ({ brokers: access.saslBootstrap, security: mtls().security })],
    ['TLS on the port without', () => ({ brokers: broker.bootstrap, security: mtls().security })],
    ['SASL on the port without TLS', () => ({ ...sasl({ protocol: 'sasl_plaintext' }), brokers: broker.bootstrap })],
  ] as const)('%s ends with an error that says what to look at', async (_, given) => {
    const error = await refusedWith(given())
    expect(error).toBeInstanceOf(KafkaError)
    expect((error as KafkaError).fix).toContain('kafka.security')
    expect(error.message).toContain(given().brokers)
  })

  it('without the password nobody is asked: the variable is named', async () => {
    const error = await refusal(open(sasl(), {}))
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).fix).toContain('KAFKA_SASL_PASSWORD')
  })

  describe('on the command line', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tickwire-security-'))
    const config = join(directory, 'tickwire.yaml')
    afterAll(() => rmSync(directory, { recursive: true }))
    const plan = (environment: Record<string, string>) => {
      const security = `{ protocol: sasl_ssl, username: ${access.user}, ca_file: ${access.ca} }`
      writeFileSync(config, `kafka:\n  brokers: ${access.saslBootstrap}\n  security: ${security}\n`)
      return cli(['topics', 'plan', '--config', config, '--exchanges', 'kraken'], { environment })
    }

    it('the right password shows the plan', async () => {
      expect(await plan(right)).toMatchObject({ code: 0, out: expect.stringContaining('market.crypto.trades.kraken') })
    })

    it('a wrong one ends with 3 and one message without it', async () => {
      const { code, out, err } = await plan({ KAFKA_SASL_PASSWORD: WRONG })
      expect(code).toBe(3)
      expect(err.match(/MD_KAFKA_AUTH/g)).toHaveLength(1)
      expect(err).toContain(access.user)
      expect(out + err).not.toContain(WRONG)
    })

    it('none ends with 2 and names the variable', async () => {
      const { code, err } = await plan({})
      expect(code).toBe(2)
      expect(err).toContain('KAFKA_SASL_PASSWORD')
    })
  })
})
