/** What a Kafka client refuses, as this project's errors: one clear sentence, with Kafka's name of it, and never a secret. */
import { KafkaAuthError, KafkaError, PlatformError } from '../core/errors.js'
import type { KafkaProperties } from './kafka.js'

const AUTHENTICATION = 'SASL_AUTHENTICATION_FAILED'
const TLS = '_SSL'
const AWAY = new Set(['_ALL_BROKERS_DOWN', '_TRANSPORT', '_TIMED_OUT', '_RESOLVE'])

/** The seam between the addons carries one text; the name stands before it. */
const named = /^(_?[A-Z][A-Z0-9_]+): (.*)$/s

/** librdkafka's place before the reason, and how long it was in which state behind it, help nobody who reads one line. */
const plain = (text: string): string =>
  text
    .replace(/^(?:\S*:\/\/|\S+\/bootstrap: |GroupCoordinator: )\S*(?::| )\s*/, '')
    .replace(/\s*\(after \d+ms in state \w+(?:, \d+ identical error\(s\) suppressed)?\)$/, '')

function mechanismOf(properties: KafkaProperties): string {
  const mechanism = properties['sasl.mechanism'] ?? properties['sasl.mechanisms']
  return mechanism ?? 'GSSAPI'
}

function nameOf(error: unknown): { code: string; text: string } {
  const text = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
  if (code !== undefined) return { code, text }
  const [, before, rest] = named.exec(text) ?? []
  return before !== undefined && rest !== undefined ? { code: before, text: rest } : { code: '', text }
}

/** A KafkaAuthError when credentials, certificates or rights are the reason, else a KafkaError. Ours pass as they are. */
export function kafkaErrorOf(error: unknown, properties: KafkaProperties): PlatformError {
  if (error instanceof PlatformError) return error
  const { code, text } = nameOf(error)
  const brokers = properties['bootstrap.servers'] ?? 'the brokers'
  if (code === AUTHENTICATION) {
    const user = properties['sasl.username']
    const who = user === undefined ? 'our credentials' : `user "${user}"`
    return new KafkaAuthError(`${brokers} refused ${who} with ${mechanismOf(properties)} (${code})`, {
      fix: 'check kafka.security.username, kafka.security.mechanism and KAFKA_SASL_PASSWORD against the users of the cluster',
      cause: error,
    })
  }
  if (code === TLS) {
    return new KafkaAuthError(`TLS with ${brokers} failed: ${plain(text)} (${code})`, {
      fix: 'check kafka.security.ca_file against the certificate of the brokers, and kafka.security.certificate_file against what they trust',
      cause: error,
    })
  }
  if (code.endsWith('_AUTHORIZATION_FAILED')) {
    const user = properties['sasl.username']
    return new KafkaAuthError(
      `${user === undefined ? 'we are' : `user "${user}" is`} not allowed to do this: ${plain(text)} (${code})`,
      {
        fix: 'give the user the missing right (docs/operations names them)',
        cause: error,
      },
    )
  }
  if (AWAY.has(code)) {
    return new KafkaError(`no broker of ${brokers} answers: ${plain(text)} (${code})`, {
      fix: 'check that they run, that kafka.security.protocol is what their port speaks, and the network between',
      cause: error,
    })
  }
  return new KafkaError(code === '' ? plain(text) : `${plain(text)} (${code})`, { cause: error })
}
