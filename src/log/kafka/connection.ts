/** How the brokers are reached: settings and environment in, librdkafka's properties out. The only place that holds secrets. */
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from '../../core/errors.js'
import type { KafkaProperties } from '../../native/kafka.js'

const securityProtocols = ['plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl'] as const
const saslMechanisms = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'] as const
const codecs = ['snappy', 'lz4', 'zstd', 'none'] as const
const producerProfiles = ['throughput', 'latency'] as const
const groupProtocols = ['auto', 'consumer', 'classic'] as const

const PORT_MAX = 65_535
const isAddress = (text: string): boolean => {
  const port = Number(/^[^\s,:]+:(\d{1,5})$/.exec(text)?.[1])
  return port >= 1 && port <= PORT_MAX
}

/** A host and port, as Kafka writes them; several are separated by commas. */
const brokers = z
  .string()
  .refine((list) => list.split(',').every(isAddress), `expected host:port (1 to ${PORT_MAX}), several separated by commas`)

export const kafkaShape = {
  /** Not given: the embedded log is all there is. */
  brokers: brokers.optional(),
  client_id: z.string().min(1).max(249).default('tickwire'),
  group_protocol: z.enum(groupProtocols).default('auto'),
  /** Static membership of this process in its groups; each process needs its own. */
  group_instance_id: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 . _ -')
    .optional(),
  replication: z.int().min(1).max(32_767).default(3),
  min_isr: z.int().min(1).max(32_767).default(2),
  compression: z.enum(codecs).default('snappy'),
  profile: z.enum(producerProfiles).default('throughput'),
  messages_per_s_max: z.int().min(100).max(1_000_000).default(20_000),
  views: z.boolean().default(true),
  security: z
    .strictObject({
      protocol: z.enum(securityProtocols).default('plaintext'),
      mechanism: z.enum(saslMechanisms).default('SCRAM-SHA-512'),
      username: z.string().min(1).optional(),
      /** The password itself comes from KAFKA_SASL_PASSWORD and stands in no file. */
      ca_file: z.string().min(1).optional(),
      certificate_file: z.string().min(1).optional(),
      key_file: z.string().min(1).optional(),
    })
    .prefault({}),
  registry: z.strictObject({ url: z.url().optional(), ca_file: z.string().min(1).optional() }).prefault({}),
  /** librdkafka's own names and values, for what has no setting here. */
  properties: z.record(z.string().regex(/^[a-z0-9._]+$/), z.union([z.string(), z.number(), z.boolean()])).default({}),
} as const

export type KafkaSettings = z.output<z.ZodObject<typeof kafkaShape>>
type Environment = Readonly<Record<string, string | undefined>>

/** Properties that may not be set by hand, and what to do instead. */
const PROPERTIES_OWN: Readonly<Record<string, string>> = {
  'bootstrap.servers': 'use kafka.brokers',
  'group.id': 'leave it out: the consumer names its group',
  'enable.idempotence': 'leave it out: order stands on it',
  'enable.auto.commit': 'leave it out: a position is committed when its batch was processed',
  acks: 'leave it out: what is acknowledged is on all replicas in sync',
  'sasl.password': 'set KAFKA_SASL_PASSWORD in the environment; it belongs in no file',
  'ssl.key.password': 'set KAFKA_SSL_KEY_PASSWORD in the environment; it belongs in no file',
  'ssl.key.pem': 'use kafka.security.key_file',
}

/** Whatever else librdkafka calls a secret, or takes as the text of a key. */
const SECRET = /password|secret|\.pem$/
const SECRET_FIX =
  'set KAFKA_SASL_PASSWORD or KAFKA_SSL_KEY_PASSWORD in the environment, and name files under kafka.security; secrets belong in no file'

/** Throws ConfigError with the field that cannot work; needs no broker. */
export function kafkaProperties(settings: KafkaSettings, environment: Environment = process.env): KafkaProperties {
  const { security } = settings
  if (settings.brokers === undefined) {
    throw new ConfigError('no Kafka brokers are named', {
      field: 'kafka.brokers',
      fix: 'give `--kafka host:port` or the setting',
    })
  }
  const properties: Record<string, string> = {
    'bootstrap.servers': settings.brokers,
    'client.id': settings.client_id,
    'security.protocol': security.protocol,
  }
  if (security.protocol.startsWith('sasl')) {
    const password = environment.KAFKA_SASL_PASSWORD
    if (security.username === undefined) throw missing('username', 'name the user')
    if (password === undefined || password === '') {
      throw missing('password', 'set KAFKA_SASL_PASSWORD in the environment; it belongs in no file')
    }
    properties['sasl.mechanism'] = security.mechanism
    properties['sasl.username'] = security.username
    properties['sasl.password'] = password
  }
  if (security.protocol.endsWith('ssl')) {
    const files = [
      ['ca_file', 'ssl.ca.location'],
      ['certificate_file', 'ssl.certificate.location'],
      ['key_file', 'ssl.key.location'],
    ] as const
    for (const [field, property] of files) {
      const file = security[field]
      if (file === undefined) continue
      if (!existsSync(file)) throw missing(field, `there is no file ${file}`)
      properties[property] = file
    }
    if ((security.certificate_file === undefined) !== (security.key_file === undefined)) {
      throw missing(security.key_file === undefined ? 'key_file' : 'certificate_file', 'a certificate and its key go together')
    }
    const password = environment.KAFKA_SSL_KEY_PASSWORD
    if (password !== undefined) properties['ssl.key.password'] = password
  }
  for (const [name, value] of Object.entries(settings.properties)) {
    const fix = PROPERTIES_OWN[name] ?? (SECRET.test(name) ? SECRET_FIX : undefined)
    if (fix !== undefined) {
      throw new ConfigError(`kafka.properties may not set ${name}`, { field: `kafka.properties.${name}`, fix })
    }
    properties[name] = String(value)
  }
  return properties
}

const missing = (field: string, fix: string): ConfigError =>
  new ConfigError(`kafka.security.${field} is not usable`, { field: `kafka.security.${field}`, fix })
