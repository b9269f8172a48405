/**
 * A processor's state in the compacted topic `tickwire.state.{group}`: chunks, then a manifest that names them. Keys carry
 * the generation of the owner, so nothing a zombie writes replaces what its successor wrote; two slots per generation, so an
 * unfinished snapshot never damages the one before it. Reads and writes that topic; one event loop.
 */
import { createHash } from 'node:crypto'
import { STATE_CHUNK_BYTES, stateTopic } from './options.js'
import type { AppendStatus, Log, PartitionState, Snapshot } from './types.js'

interface Manifest {
  readonly generation: number
  readonly snapshot: number
  readonly slot: number
  readonly chunks: number
  readonly bytes: number
  readonly sha256: string
  readonly meta: unknown
}

interface Found {
  /** Live messages by key. */
  readonly values: Map<string, Uint8Array>
  readonly manifests: Manifest[]
}

type StateLog = Pick<Log, 'append' | 'read' | 'ensureTopic' | 'topics'>

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const prefixOf = (topic: string, partition: number): string => `${topic}/${partition}#`
const isManifest = (key: string): boolean => key.endsWith('/manifest')

async function scan(log: StateLog, group: string, topic: string, partition: number): Promise<Found> {
  const prefix = prefixOf(topic, partition)
  const values = new Map<string, Uint8Array>()
  const name = stateTopic(group)
  const kept = (await log.topics()).find((each) => each.name === name)
  if (kept !== undefined && partition < kept.partitions) {
    for await (const batch of log.read({ topics: [name], partitions: [partition] })) {
      if (!batch.key.startsWith(prefix)) continue
      if (batch.value.length === 0) values.delete(batch.key)
      else values.set(batch.key, batch.value.slice())
    }
  }
  const manifests: Manifest[] = []
  for (const [key, value] of values) {
    if (!isManifest(key)) continue
    try {
      manifests.push(JSON.parse(new TextDecoder().decode(value)) as Manifest)
    } catch {
      // A manifest that is no JSON is treated like one that is not there: the other slot or a replay takes over.
    }
  }
  manifests.sort((a, b) => b.generation - a.generation || b.snapshot - a.snapshot)
  return { values, manifests }
}

/** The newest whole snapshot. */
export async function loadState(log: StateLog, group: string, topic: string, partition: number): Promise<Snapshot | undefined> {
  const { values, manifests } = await scan(log, group, topic, partition)
  for (const manifest of manifests) {
    const bytes = new Uint8Array(manifest.bytes)
    let at = 0
    for (let i = 0; i < manifest.chunks; i++) {
      const chunk = values.get(`${prefixOf(topic, partition)}${manifest.generation}.${manifest.slot}/${i}`)
      if (chunk === undefined || at + chunk.length > bytes.length) break
      bytes.set(chunk, at)
      at += chunk.length
    }
    if (at === bytes.length && digest(bytes) === manifest.sha256) return { bytes, meta: manifest.meta }
  }
  return undefined
}

/** The state of one partition in one generation. `isOwner` is asked before each append. */
export class FencedState implements PartitionState {
  #snapshot = 0
  #stale: string[] | undefined

  constructor(
    readonly log: StateLog,
    readonly group: string,
    readonly topic: string,
    readonly partition: number,
    readonly partitions: number,
    readonly generation: number,
    readonly isOwner: () => boolean,
  ) {}

  load(): Promise<Snapshot | undefined> {
    return loadState(this.log, this.group, this.topic, this.partition)
  }

  async save(snapshot: Snapshot): Promise<AppendStatus> {
    if (!this.isOwner()) return 'fenced'
    if (this.#stale === undefined) {
      await this.log.ensureTopic({ name: stateTopic(this.group), partitions: this.partitions, compact: true })
      const found = await scan(this.log, this.group, this.topic, this.partition)
      if ((found.manifests[0]?.generation ?? 0) > this.generation) return 'fenced'
      const own = `${prefixOf(this.topic, this.partition)}${this.generation}.`
      this.#stale = [...found.values.keys()].filter((key) => !key.startsWith(own))
      this.#snapshot = found.manifests.find((manifest) => manifest.generation === this.generation)?.snapshot ?? 0
    }
    const number = ++this.#snapshot
    const slot = number % 2
    const prefix = `${prefixOf(this.topic, this.partition)}${this.generation}.${slot}/`
    const { bytes, meta } = snapshot
    const chunks = Math.ceil(bytes.length / STATE_CHUNK_BYTES)
    for (let i = 0; i < chunks; i++) {
      const chunk = bytes.subarray(i * STATE_CHUNK_BYTES, (i + 1) * STATE_CHUNK_BYTES)
      const status = await this.#append(`${prefix}${i}`, chunk)
      if (status !== 'ok') return status
    }
    const manifest: Manifest = {
      generation: this.generation,
      snapshot: number,
      slot,
      chunks,
      bytes: bytes.length,
      sha256: digest(bytes),
      meta,
    }
    const status = await this.#append(`${prefix}manifest`, new TextEncoder().encode(JSON.stringify(manifest)))
    if (status !== 'ok') return status
    // What earlier owners left is no longer needed; an empty value takes its place in the compacted topic.
    while (this.#stale.length > 0) {
      if ((await this.#append(this.#stale[0] ?? '', new Uint8Array(0))) !== 'ok') break
      this.#stale.shift()
    }
    return 'ok'
  }

  async #append(key: string, value: Uint8Array): Promise<AppendStatus> {
    if (!this.isOwner()) return 'fenced'
    return (await this.log.append(stateTopic(this.group), this.partition, { kind: 'opaque', key, value })).status
  }
}
