/**
 * A recording's way to a cluster: what stands in the local log is drained to Kafka by the replicator, as ingestion's records are.
 * Reads the local log, writes the cluster's topics. Brokers away: it waits, the local log has everything.
 */
import { delay } from '../core/clock.js'
import { RegistryError, ServiceError } from '../core/errors.js'
import { type InstrumentDefinition, messageSchema } from '../model/instrument.js'
import type { TopicConfig } from '../model/topics.js'
import { LogRegistryStore } from './registry-store.js'
import { ReplicatorComponent } from './replicator.js'
import type { Runtime } from './runtime.js'

/** The replicator's own group in the local log; mirrors native/publish/replicator.h. */
const REPLICATOR_GROUP = 'tickwire-replicator'
/** Each look makes up to two native threads a partition, one after the other. */
const POLL_MS = 250

export interface DrainProgress {
  readonly acknowledged: number
  readonly total: number
  /** Why it waits. */
  readonly waitsFor?: string | undefined
}

export interface DrainOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: DrainProgress) => void
}

/** Topics of a replay: its records, their gaps, and the definitions of their instruments. */
export function replayedTopics({ topics, exchanges }: Runtime, exchangeName: string, names: readonly string[]): TopicConfig[] {
  const { assetClass, name } = exchanges.get(exchangeName)
  const beside = ['gaps', 'reference_data'].map((type) => topics.getTopicConfig(assetClass, type, name))
  return [...names.map((topic) => topics.get(topic)), ...beside]
}

/** Topics of the cluster that would soon delete the recording: Kafka counts retention from now, not from the newest record. */
export async function expiringTopics(runtime: Runtime, topics: readonly TopicConfig[]): Promise<string[]> {
  const nowNs = runtime.clock.wallNs()
  const held = new Map((await runtime.log.topics()).map((topic) => [topic.name, topic]))
  const expiring: string[] = []
  for (const { name, partitions } of topics) {
    const topic = held.get(name)
    if (topic === undefined || topic.compact || topic.retentionMs < 0) continue
    const infos = await Promise.all(Array.from({ length: partitions }, (_, i) => runtime.local.describe(name, i)))
    const newest = infos.reduce((max, info) => (info !== undefined && info.tsRecvNewest > max ? info.tsRecvNewest : max), 0n)
    if (newest > 0n && newest < nowNs - BigInt(topic.retentionMs) * 1_000_000n) expiring.push(name)
  }
  return expiring
}

/** Resolves when every record of these topics is acknowledged by the brokers. */
export async function drainToCluster(
  runtime: Runtime,
  topics: readonly TopicConfig[],
  options: DrainOptions = {},
): Promise<{ readonly records: number; readonly repeats: number }> {
  const { clock, random, logger } = runtime
  const component = new ReplicatorComponent(runtime, () => topics)
  let failed: Error | undefined
  const fail = (error: Error): void => {
    failed = error
  }
  await component.start({ service: 'replay', clock, random, logger, fail })
  try {
    for (;;) {
      options.signal?.throwIfAborted()
      if (failed !== undefined) throw new ServiceError(`draining to the cluster: ${failed.message}`, { cause: failed })
      const { acknowledged, total } = await positions(runtime, topics)
      const stats = component.stats()
      options.onProgress?.({ acknowledged, total, waitsFor: stats?.state === 'blocked' ? stats.error : undefined })
      if (acknowledged >= total) break
      await delay(clock, POLL_MS, options.signal)
    }
  } finally {
    await component.stop()
  }
  const { records = 0, repeats = 0 } = component.stats() ?? {}
  return { records, repeats }
}

async function positions(runtime: Runtime, topics: readonly TopicConfig[]): Promise<{ acknowledged: number; total: number }> {
  const sum = { acknowledged: 0, total: 0 }
  for (const { name, partitions } of topics) {
    for (let partition = 0; partition < partitions; partition++) {
      const end = (await runtime.local.describe(name, partition))?.endOffset ?? 0
      if (end === 0) continue
      sum.total += end
      sum.acknowledged += Math.min(end, (await runtime.local.committed(REPLICATOR_GROUP, name, partition)) ?? 0)
    }
  }
  return sum
}

interface Definition {
  readonly versions: readonly InstrumentDefinition[]
  readonly value: Uint8Array
}

const isSame = (a: InstrumentDefinition, b: InstrumentDefinition): boolean =>
  a.id === b.id && a.price_exponent === b.price_exponent && a.size_exponent === b.size_exponent

/**
 * Takes what the cluster knows of an exchange's instruments into the local log, before anything is listed: an instrument that was
 * ingested elsewhere keeps its id. Throws RegistryError when both know different ids.
 */
export async function takeDefinitions(runtime: Runtime, exchangeName: string): Promise<void> {
  const { topics, clock, directory } = runtime
  const exchange = runtime.exchanges.get(exchangeName)
  const storeOf = (log: Runtime['log']) => new LogRegistryStore({ log: () => log, topics, clock, directory })
  const store = storeOf(runtime.local)
  await store.exclusively(exchange, async () => {
    const here = newestOf(await store.read(exchange))
    const there = newestOf(await storeOf(runtime.log).read(exchange))
    const symbolOfId = new Map([...here].flatMap(([symbol, { versions }]) => versions.map(({ id }) => [id, symbol] as const)))
    const missing: { key: string; value: Uint8Array }[] = []
    for (const [key, { versions, value }] of there) {
      const known = here.get(key)?.versions ?? []
      const agrees = versions.every((theirs, i) => {
        const ours = known[i]
        return ours === undefined ? (symbolOfId.get(theirs.id) ?? key) === key : isSame(ours, theirs)
      })
      if (!agrees) {
        throw new RegistryError(
          `${key} of ${exchangeName} is another instrument in ${directory} than on ${runtime.settings.kafka.brokers}`,
          { field: '--data', fix: 'replay into a new data directory: it takes the ids of the cluster' },
        )
      }
      if (versions.length > known.length) missing.push({ key, value })
    }
    if (missing.length > 0) await store.append(exchange, missing)
  })
}

/** A message that is no definition defines nothing, here as in the registry. */
function newestOf(messages: readonly { readonly key: string; readonly value: Uint8Array }[]): Map<string, Definition> {
  const newest = new Map<string, Definition>()
  for (const { key, value } of messages) {
    const parsed = messageSchema.safeParse(jsonOf(value))
    if (parsed.success) newest.set(key, { versions: parsed.data.versions, value })
  }
  return newest
}

function jsonOf(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(value))
  } catch {
    return undefined
  }
}
