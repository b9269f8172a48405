/** `doctor --kafka`: from the addon to the registry, each step named with what was found. Stops where the next step cannot be told. */
import { connect } from 'node:net'
import type { Clock } from '../core/clock.js'
import { KafkaAuthError, PlatformError } from '../core/errors.js'
import { kafkaProperties } from '../log/kafka/connection.js'
import { keepsReaders } from '../log/kafka/schemas-client.js'
import { declaredSchemas } from '../log/kafka/schemas-plan.js'
import { loadTopics } from '../model/topics-file.js'
import { type KafkaAdmin, type KafkaCluster, kafkaAddon } from '../native/kafka.js'
import { type Settings, topicsFileOf } from '../services/settings.js'
import { brokerSettingsFindings, copiesFinding, groupProtocolFinding } from './doctor-brokers.js'
import { type Finding, failed, ok, warning } from './finding.js'
import type { Io } from './io.js'
import { registryOf, withAdmin } from './topics-cluster.js'

const CONNECT_MS_MAX = 3_000
const FEATURES = ['snappy', 'lz4', 'zstd', 'ssl', 'sasl_scram'] as const

/** Throws ConfigError when the settings cannot work. */
export async function kafkaFindings(io: Io, settings: Settings): Promise<Finding[]> {
  const { 'bootstrap.servers': brokers = '' } = kafkaProperties(settings.kafka, io.environment)
  const engine = engineFinding()
  if (engine.status === 'failed') return [engine, ...(await registryFindings(io, settings))]
  const reached = await reachable(io.clock, brokers.split(','), 'kafka.brokers')
  const cluster =
    reached.status === 'failed' ? [] : await withAdmin(io, settings, (admin) => clusterFindings(io, settings, admin))
  return [engine, reached, ...cluster, ...(await registryFindings(io, settings))]
}

function engineFinding(): Finding {
  const check = 'Kafka engine'
  try {
    const { version, features } = kafkaAddon()
    const missing = FEATURES.filter((feature) => !features.includes(feature))
    const detail = `librdkafka ${version}`
    if (missing.length === 0) return ok(check, `${detail} with ${FEATURES.join(', ')}`)
    return warning(check, `${detail} without ${missing.join(', ')}`, '`make kafka` installs what it is built with')
  } catch (error) {
    return failed(check, messageOf(error), fixOf(error))
  }
}

async function clusterFindings(io: Io, settings: Settings, admin: KafkaAdmin): Promise<Finding[]> {
  const { protocol, mechanism, username } = settings.kafka.security
  const who = protocol.startsWith('sasl') ? `${mechanism} as ${username}` : protocol === 'ssl' ? 'TLS' : 'nobody is asked'
  let cluster: KafkaCluster
  const begin = io.clock.monotonicMs()
  try {
    cluster = await admin.cluster()
  } catch (error) {
    return [failed(error instanceof KafkaAuthError ? 'authentication' : 'cluster', messageOf(error), fixOf(error))]
  }
  const ms = Math.round(io.clock.monotonicMs() - begin)
  const advertised = cluster.brokers.map(({ host, port }) => `${host}:${port}`)
  const declared = loadTopics(topicsFileOf(settings)).list()
  const most = declared.toSorted((a, b) => b.replication - a.replication)[0]
  const findings = [
    ok('authentication', `${protocol}: ${who}; answered in ${ms} ms`),
    // What a client connects to is what the brokers call themselves, not what was typed.
    await reachable(io.clock, advertised, 'advertised brokers'),
    cluster.controller >= 0
      ? ok('controller', `cluster ${cluster.id} has one`)
      : failed('controller', `cluster ${cluster.id} has none: no topic can be made`, 'start a majority of its controllers'),
  ]
  if (most !== undefined) findings.push(copiesFinding(cluster.brokers.length, most))
  try {
    const brokers = await Promise.all(cluster.brokers.map(async ({ id }) => ({ id, entries: await admin.brokerConfig(id) })))
    const [asked] = brokers
    if (asked !== undefined) findings.push(groupProtocolFinding(settings.kafka.group_protocol, asked))
    return [...findings, ...brokerSettingsFindings(brokers)]
  } catch (error) {
    // Without the right to read them groups use the classic protocol: that works, and is said.
    return [...findings, warning('broker settings', `cannot be read, so groups are classic: ${messageOf(error)}`, fixOf(error))]
  }
}

/** A TCP connection to each: who answers, and how long it takes. */
async function reachable(clock: Clock, addresses: readonly string[], check: string): Promise<Finding> {
  const tried = await Promise.all(addresses.map(async (address) => ({ address, ...(await knock(clock, address)) })))
  const detail = tried.map(({ address, ms, problem }) => `${address} ${problem ?? `in ${ms} ms`}`).join(', ')
  const away = tried.filter(({ problem }) => problem !== undefined).length
  if (away === 0) return ok(check, detail)
  const fix =
    check === 'kafka.brokers' ? 'start them, or correct --kafka' : 'set advertised.listeners to what this machine reaches'
  return away < tried.length ? warning(check, detail, fix) : failed(check, detail, fix)
}

function knock(clock: Clock, address: string): Promise<{ ms: number; problem?: string }> {
  const at = address.lastIndexOf(':')
  const begin = clock.monotonicMs()
  return new Promise((resolve) => {
    const socket = connect({ host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) })
    const done = (problem?: string): void => {
      timer.cancel()
      socket.destroy()
      resolve({ ms: Math.round(clock.monotonicMs() - begin), ...(problem === undefined ? {} : { problem }) })
    }
    const timer = clock.setTimer(() => done('does not answer'), CONNECT_MS_MAX)
    socket.once('connect', () => done())
    socket.once('error', (error) => done('code' in error ? String(error.code) : error.message))
  })
}

async function registryFindings(io: Io, settings: Settings): Promise<Finding[]> {
  const check = 'schema registry'
  const registry = registryOf(io, settings)
  if (registry === undefined) return []
  const names = loadTopics(topicsFileOf(settings))
  try {
    const subjects = declaredSchemas(names.list(), names.source).map(({ subject }) => subject)
    const begin = io.clock.monotonicMs()
    const levels = await Promise.all(subjects.map((subject) => registry.compatibility(subject)))
    const ms = Math.round(io.clock.monotonicMs() - begin)
    const wrong = subjects.filter((_, i) => !keepsReaders(levels[i] ?? ''))
    const said = [...new Set(levels)].join(', ')
    if (wrong.length === 0) return [ok(check, `${registry.url}: compatibility ${said}; answered in ${ms} ms`)]
    return [
      warning(
        check,
        `${registry.url}: compatibility ${said}: ${wrong.length} of ${subjects.length} subjects would take a schema that breaks readers`,
        '`tickwire schemas apply` sets BACKWARD for each',
      ),
    ]
  } catch (error) {
    return [failed(check, messageOf(error), fixOf(error))]
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const fixOf = (error: unknown): string => (error instanceof PlatformError ? (error.fix ?? '') : '')
