/** Settings and environment become librdkafka's properties: what cannot work is named with its field, and secrets stand in no error. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, test } from 'vitest'
import { z } from 'zod'
import { ConfigError } from '../../../src/core/errors.js'
import { kafkaProperties, kafkaShape } from '../../../src/log/kafka/connection.js'
import { checkAddress } from '../../../src/log/kafka/schemas-address.js'

const shape = z.strictObject(kafkaShape)
const PASSWORD = 'never-to-be-seen'
const KEY_PASSWORD = 'nor-this-one'
const environment = { KAFKA_SASL_PASSWORD: PASSWORD, KAFKA_SSL_KEY_PASSWORD: KEY_PASSWORD }

const directory = mkdtempSync(join(tmpdir(), 'tickwire-connection-'))
const file = (name: string): string => {
  const path = join(directory, name)
  writeFileSync(path, 'a file that is there')
  return path
}
const [ca, certificate, key] = [file('ca.pem'), file('client.pem'), file('client.key')]
afterAll(() => rmSync(directory, { recursive: true }))

const brokers = '127.0.0.1:9092'
const propertiesOf = (given: z.input<typeof shape>, env: Record<string, string> = environment) =>
  kafkaProperties(shape.parse(given), env)

function refusal(given: z.input<typeof shape>, env: Record<string, string> = environment): ConfigError {
  try {
    propertiesOf(given, env)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('addresses', () => {
  it.each(['localhost:9092', 'a.example:9092,b.example:9093', '10.0.0.1:1'])('%s is taken', (given) => {
    expect(propertiesOf({ brokers: given })['bootstrap.servers']).toBe(given)
  })

  it.each([
    'localhost',
    'localhost:',
    ':9092',
    'host:port',
    'a:9092, b:9092',
    'a:9092,',
    'kafka://a:9092',
    'a:0',
    'a:9092,b:65536',
  ])('"%s" is refused with the form that is expected', (given) => {
    const parsed = shape.safeParse({ brokers: given })
    expect(parsed.error?.issues.map(({ path, message }) => [path, message])).toEqual([
      [['brokers'], 'expected host:port (1 to 65535), several separated by commas'],
    ])
  })

  it('none at all names the setting and the option', () => {
    expect(refusal({})).toMatchObject({ field: 'kafka.brokers', fix: expect.stringContaining('--kafka host:port') })
  })
})

test('without security no secret of the environment is looked at', () => {
  expect(propertiesOf({ brokers })).toEqual({
    'bootstrap.servers': brokers,
    'client.id': 'tickwire',
    'security.protocol': 'plaintext',
  })
})

describe('SASL', () => {
  it('SCRAM-SHA-512 unless told otherwise; the password comes from the environment', () => {
    expect(propertiesOf({ brokers, security: { protocol: 'sasl_ssl', username: 'market', ca_file: ca } })).toMatchObject({
      'security.protocol': 'sasl_ssl',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.username': 'market',
      'sasl.password': PASSWORD,
      'ssl.ca.location': ca,
    })
  })

  it.each([{}, { KAFKA_SASL_PASSWORD: '' }])('a missing password names its variable: %o', (env) => {
    const error = refusal({ brokers, security: { protocol: 'sasl_ssl', username: 'market' } }, env)
    expect(error).toMatchObject({ field: 'kafka.security.password', exitCode: 2 })
    expect(error.fix).toContain('KAFKA_SASL_PASSWORD')
  })

  it('a missing user names the field', () => {
    expect(refusal({ brokers, security: { protocol: 'sasl_plaintext' } }).field).toBe('kafka.security.username')
  })

  it('a password in the file is refused as a field that is not there', () => {
    const parsed = shape.safeParse({ brokers, security: { protocol: 'sasl_ssl', username: 'market', password: PASSWORD } })
    expect(parsed.error?.issues[0]).toMatchObject({ code: 'unrecognized_keys', keys: ['password'] })
    expect(JSON.stringify(parsed.error?.issues)).not.toContain(PASSWORD)
  })

  it('an unknown mechanism lists the valid ones', () => {
    const parsed = shape.safeParse({ brokers, security: { protocol: 'sasl_ssl', mechanism: 'GSSAPI' } })
    expect(parsed.error?.issues[0]).toMatchObject({
      path: ['security', 'mechanism'],
      values: ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'],
    })
  })
})

describe('certificates', () => {
  it('a pair with an encrypted key', () => {
    const security = { protocol: 'ssl', ca_file: ca, certificate_file: certificate, key_file: key } as const
    expect(propertiesOf({ brokers, security })).toMatchObject({
      'ssl.ca.location': ca,
      'ssl.certificate.location': certificate,
      'ssl.key.location': key,
      'ssl.key.password': KEY_PASSWORD,
    })
  })

  it.each([
    ['key_file', { certificate_file: certificate }],
    ['certificate_file', { key_file: key }],
  ] as const)('half a pair: %s is what lacks', (field, half) => {
    const error = refusal({ brokers, security: { protocol: 'ssl', ...half } })
    expect(error).toMatchObject({ field: `kafka.security.${field}`, fix: 'a certificate and its key go together' })
  })

  it.each(['ca_file', 'certificate_file', 'key_file'] as const)('%s that is not there is named with its path', (field) => {
    const absent = join(directory, 'absent.pem')
    const security = { protocol: 'ssl', certificate_file: certificate, key_file: key, [field]: absent } as const
    const error = refusal({ brokers, security })
    expect(error).toMatchObject({ field: `kafka.security.${field}`, fix: `there is no file ${absent}` })
  })

  it('without TLS the files are not looked for', () => {
    const security = { protocol: 'plaintext', ca_file: join(directory, 'absent.pem') } as const
    expect(propertiesOf({ brokers, security })).not.toHaveProperty('ssl.ca.location')
  })
})

describe('properties of librdkafka', () => {
  it('are passed as text', () => {
    const given = { 'socket.keepalive.enable': true, 'socket.timeout.ms': 9_000, 'client.rack': 'b' }
    expect(propertiesOf({ brokers, properties: given })).toMatchObject({
      'socket.keepalive.enable': 'true',
      'socket.timeout.ms': '9000',
      'client.rack': 'b',
    })
  })

  it.each([
    ['bootstrap.servers', 'kafka.brokers'],
    ['group.id', 'names its group'],
    ['enable.idempotence', 'order'],
    ['enable.auto.commit', 'committed when'],
    ['acks', 'all replicas in sync'],
    ['sasl.password', 'KAFKA_SASL_PASSWORD'],
    ['ssl.key.password', 'KAFKA_SSL_KEY_PASSWORD'],
    ['ssl.key.pem', 'kafka.security.key_file'],
    ['ssl.keystore.password', 'KAFKA_SSL_KEY_PASSWORD'],
    ['sasl.oauthbearer.client.secret', 'KAFKA_SASL_PASSWORD'],
    ['ssl.certificate.pem', 'KAFKA_SSL_KEY_PASSWORD'],
  ])('%s may not be set: what to do instead says %s', (name, instead) => {
    const error = refusal({ brokers, properties: { [name]: PASSWORD } })
    expect(error).toMatchObject({ field: `kafka.properties.${name}`, fix: expect.stringContaining(instead) })
  })
})

test.each([`market:${PASSWORD}@registry:8081`, `htp://market:${PASSWORD}@registry:8081`, `//market:p@${PASSWORD}@registry:8081`])(
  'a registry’s address that is none is shown without its user and password: %s',
  (url) => {
    expect(() => checkAddress(url)).toThrow('"registry:8081" is not the address of a schema registry')
  },
)

test('no refusal shows a secret', () => {
  const security = { protocol: 'sasl_ssl', username: 'market', ca_file: ca, certificate_file: certificate } as const
  const refused = [
    refusal({ brokers, security }),
    refusal({ brokers, security: { ...security, key_file: join(directory, 'absent.key') } }),
    refusal({ brokers, properties: { 'sasl.password': PASSWORD } }),
    refusal({ brokers, properties: { 'ssl.keystore.password': KEY_PASSWORD } }),
    refusal({ security }),
  ]
  for (const error of refused) {
    const shown = JSON.stringify({ ...error, message: error.message, stack: error.stack })
    expect(shown).not.toContain(PASSWORD)
    expect(shown).not.toContain(KEY_PASSWORD)
  }
})
