/** What brokers are told, judged: the group protocol that follows from it, and settings that keep a promise from holding. Asks nobody. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../native/addon.js'
import type { KafkaConfigEntry } from '../native/kafka.js'
import { type Finding, failed, ok, warning } from './finding.js'

/** Mirrors native/kafka/group_protocol.cc: a broker that waits longer for a dead member breaks our promise. */
export const SESSION_MS_MAX = 10_000
export const CLASSIC_SESSION_MS = 4_500
/** Kafka's own least for a classic session, when the broker does not tell its. */
export const BROKER_SESSION_MS_MIN = 6_000

export interface BrokerSettings {
  readonly id: number
  readonly entries: readonly KafkaConfigEntry[]
}

const numberOf = ({ entries }: BrokerSettings, name: string): number | undefined => {
  const value = entries.find((entry) => entry.name === name)?.value
  return value === undefined || !/^-?\d+$/.test(value) ? undefined : Number(value)
}

const SESSION = 'group.consumer.session.timeout.ms'

/** The same choice as a consumer makes when it joins, from the first broker's settings. */
export function groupProtocolFinding(wanted: 'auto' | 'consumer' | 'classic', broker: BrokerSettings): Finding {
  const check = 'group protocol'
  const session = numberOf(broker, SESSION)
  const classic = (why: string, fix: string): Finding => {
    const least = numberOf(broker, 'group.min.session.timeout.ms') ?? BROKER_SESSION_MS_MIN
    const session = Math.max(CLASSIC_SESSION_MS, least)
    const detail = `classic, session ${session} ms: ${why}`
    if (session > SESSION_MS_MAX) {
      return failed(
        check,
        `${detail}; a dead member keeps its partitions so long, and the broker allows no less (group.min.session.timeout.ms)`,
        'set group.min.session.timeout.ms=1000 on the brokers',
      )
    }
    return fix === '' ? ok(check, detail) : warning(check, detail, fix)
  }
  if (wanted === 'classic') return classic('kafka.group_protocol says so', '')
  if (session === undefined) {
    const fix = wanted === 'consumer' ? 'set kafka.group_protocol to auto, or use Kafka 4.0 or newer' : ''
    return classic('this broker has no KIP-848 groups', fix)
  }
  if (session <= SESSION_MS_MAX) return ok(check, `consumer (KIP-848), session ${session} ms`)
  const late = `${SESSION} is ${session}, more than ${SESSION_MS_MAX}`
  const fix = `set ${SESSION}=${shippedValue('broker', SESSION) ?? CLASSIC_SESSION_MS} and group.consumer.min.session.timeout.ms=1000 on the brokers`
  if (wanted === 'auto') return classic(late, fix)
  return warning(check, `consumer (KIP-848) as configured, and ${late}: a dead member keeps its partitions so long`, fix)
}

/** Settings that decide how long a fault is felt, where the value that is shipped stands, and what a longer one does. */
const timings = [
  { name: 'broker.session.timeout.ms', file: 'broker', does: 'acknowledgements wait so long for a dead broker' },
  { name: 'replica.lag.time.max.ms', file: 'cluster', does: 'acknowledgements wait so long for a replica that hangs' },
  { name: 'controller.quorum.fetch.timeout.ms', file: 'cluster', does: 'a dead controller is replaced so late' },
  { name: 'group.initial.rebalance.delay.ms', file: 'broker', does: 'the first member of a classic group waits so long' },
] as const

export function brokerSettingsFindings(brokers: readonly BrokerSettings[]): Finding[] {
  const check = 'broker settings'
  const found = brokers.flatMap((broker) => [...slowTimings(broker, brokers.length), ...impossibleCopies(broker, brokers.length)])
  return found.length > 0 ? found : [ok(check, `${brokers.length === 1 ? 'as' : 'all as'} config/deploy/kafka ships them`)]
}

function slowTimings(broker: BrokerSettings, brokers: number): Finding[] {
  return timings.flatMap(({ name, file, does }) => {
    // One broker alone has neither replicas nor another controller.
    const shipped = file === 'cluster' && brokers === 1 ? undefined : shippedValue(file, name)
    const value = numberOf(broker, name)
    if (shipped === undefined || value === undefined || value <= shipped) return []
    return [
      warning(
        'broker settings',
        `broker ${broker.id}: ${name} is ${value}: ${does}`,
        `set ${name}=${shipped} (config/deploy/kafka)`,
      ),
    ]
  })
}

/** Kafka's own topics are made on first use, and not with more copies than there are brokers: then no group ever works. */
function impossibleCopies(broker: BrokerSettings, brokers: number): Finding[] {
  const name = 'offsets.topic.replication.factor'
  const copies = numberOf(broker, name)
  if (copies === undefined || copies <= brokers) return []
  return [
    failed(
      'broker settings',
      `broker ${broker.id}: ${name} is ${copies} with ${brokers} broker${brokers === 1 ? '' : 's'}: groups cannot commit`,
      `set ${name}=${brokers}, or start the other brokers`,
    ),
  ]
}

/** The value the project ships; undefined where the deployment files are not installed. */
export function shippedValue(file: 'broker' | 'cluster', name: string): number | undefined {
  const path = join(packageRoot, 'config', 'deploy', 'kafka', `${file}.properties`)
  if (!existsSync(path)) return undefined
  const line = readFileSync(path, 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}=`))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}

export function copiesFinding(brokers: number, declared: { readonly replication: number; readonly minIsr: number }): Finding {
  const check = 'copies'
  const copies = Math.min(brokers, declared.replication)
  const least = Math.min(declared.minIsr, copies)
  const detail = `${brokers} broker${brokers === 1 ? '' : 's'}, ${copies} copies of ${declared.replication} declared, min ISR ${least}`
  if (brokers < declared.replication) {
    const wanting = declared.replication - brokers
    return warning(
      check,
      `${detail}: topics made now have fewer copies than declared`,
      `add ${wanting} broker${wanting === 1 ? '' : 's'}, or declare fewer (replication in topics.yaml)`,
    )
  }
  if (least < copies) return ok(check, detail)
  return warning(check, `${detail}: one broker away stops every write`, 'declare a min_isr below replication in topics.yaml')
}
