/**
 * Three real nodes on loopback, replication factor 3, min ISR 2, with the settings that the project ships. A fault is made only in a cluster
 * that is whole, or it is two faults: `await cluster.whole()` before each.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../until.js'
import { type ServerDirectory, serverDirectory } from './directories.js'
import { type ClusterState, clusterState } from './kcat.js'
import { listenerProperties } from './listeners.js'
import { KafkaNode } from './node.js'
import { freePorts } from './ports.js'
import { deployedProperties, type Properties } from './properties.js'

/** A wiped node copies all it had. */
const WHOLE_MS_MAX = 120_000

export interface ClusterOptions {
  readonly nodes?: number
  /** Over the shipped ones. */
  readonly properties?: Properties
  readonly jvm?: readonly string[]
}

export class Cluster {
  readonly #directory: ServerDirectory

  constructor(
    readonly nodes: readonly KafkaNode[],
    directory: ServerDirectory,
  ) {
    this.#directory = directory
  }

  get bootstrap(): string {
    return this.nodes.map((node) => node.address).join(',')
  }

  node(id: number): KafkaNode {
    const found = this.nodes.find((each) => each.id === id)
    if (found === undefined) throw new Error(`no node ${id}; there are ${this.nodes.map((each) => each.id).join(', ')}`)
    return found
  }

  state(): Promise<ClusterState> {
    return clusterState(
      this.nodes
        .filter((node) => node.alive)
        .map((node) => node.address)
        .join(','),
    )
  }

  /** What one node says: the others may be frozen and keep whoever asks waiting. */
  stateFrom(node: KafkaNode): Promise<ClusterState> {
    return clusterState(node.address)
  }

  /** The id of the node that leads a partition, or -1. */
  async leaderOf(topic: string, partition: number): Promise<number> {
    const partitions = (await this.state()).topics.get(topic)
    return partitions?.find((each) => each.partition === partition)?.leader ?? -1
  }

  /**
   * The active controller. A metadata answer names a random broker as such, and the Java tool takes seconds: each voter writes down whom it
   * follows, and the highest epoch is the latest.
   */
  controllerId(): number {
    const votes = this.nodes
      .filter((node) => node.alive)
      .map((node) => join(node.logDirectory, '__cluster_metadata-0', 'quorum-state'))
      .filter((file) => existsSync(file))
      .map((file) => JSON.parse(readFileSync(file, 'utf8')) as { leaderId: number; leaderEpoch: number })
    return votes.toSorted((a, b) => b.leaderEpoch - a.leaderEpoch).find((vote) => vote.leaderId >= 0)?.leaderId ?? -1
  }

  /** All nodes live, and every partition has a leader and all its replicas in sync. */
  async whole(timeoutMs = WHOLE_MS_MAX): Promise<void> {
    await until(`${this.nodes.length} live nodes and full in-sync sets`, () => this.#isWhole(), timeoutMs)
  }

  /** Each node is asked by itself: one that just came back tells for a moment what it knew before. */
  async #isWhole(): Promise<boolean> {
    if (!this.nodes.every((node) => node.alive) || this.controllerId() < 0) return false
    // A cluster in trouble may not answer at all.
    const states = await Promise.all(this.nodes.map((node) => this.stateFrom(node).catch(() => undefined)))
    return states.every((state) => state !== undefined && this.#isWholeFor(state))
  }

  #isWholeFor({ brokers, topics }: ClusterState): boolean {
    if (brokers.length !== this.nodes.length) return false
    return [...topics.values()].flat().every((each) => each.leader >= 0 && each.inSync.length === each.replicas.length)
  }

  /** Ends all and deletes their directories. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()))
    this.#directory.delete()
  }
}

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const count = options.nodes ?? 3
  const directory = serverDirectory('cluster')
  const ports = await freePorts(count * 2)
  const places = Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    port: ports[i * 2] ?? 0,
    controller: ports[i * 2 + 1] ?? 0,
  }))
  const voters = places.map(({ id, controller }) => `${id}@127.0.0.1:${controller}`).join(',')
  const nodes = places.map(
    ({ id, port, controller }) =>
      new KafkaNode({
        id,
        port,
        directory: join(directory.path, `node-${id}`),
        format: [],
        properties: {
          ...deployedProperties('broker'),
          ...deployedProperties('cluster'),
          'node.id': String(id),
          'controller.quorum.voters': voters,
          ...listenerProperties([{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', port }], controller),
          ...options.properties,
        },
        ...(options.jvm === undefined ? {} : { jvm: options.jvm }),
      }),
  )
  const cluster = new Cluster(nodes, directory)
  // None opens its port before two are there to elect a controller.
  try {
    await Promise.all(nodes.map((node) => node.start()))
    await cluster.whole()
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return cluster
}
