/**
 * A member of a consumer group: hands each assigned partition's batches to the handler, one in flight per partition, and
 * commits after them. Reads its topics, writes dead letters and whatever the handler writes; one event loop beside the
 * native thread that reads and beats. A slow handler stops the reading of its partition only.
 */
import {
  DiskFullError,
  LogBusyError,
  LogError,
  type RetryClass,
  type RetryPolicy,
  retryClassOf,
  retryPolicies,
  systemClock,
} from '../core/index.js'
import { logStatus, type NativeLog } from '../native/log.js'
import type { SlabBatch } from './batch.js'
import { Lane, type LanePorts } from './lane.js'
import { deadLetterTopic, HEARTBEAT_MS, HUNG_MS, nativePlace, RETRIES_WAITING_MAX } from './options.js'
import { type Delivery, Pump } from './pump.js'
import { FencedState } from './state.js'
import type {
  AppendStatus,
  AssignedPartition,
  Consumer,
  ConsumerCounters,
  ConsumerOptions,
  DeadLetter,
  HandlerContext,
  Log,
  Topic,
} from './types.js'

const laneKey = (topic: number, partition: number): string => `${topic}/${partition}`
const reasonOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error))

export class GroupConsumer implements Consumer {
  readonly counters: ConsumerCounters = {
    batches: 0,
    records: 0,
    failed: 0,
    retried: 0,
    deadLetters: 0,
    commits: 0,
    fenced: 0,
    handlerErrors: 0,
    holes: 0,
  }
  readonly failed: Promise<never>
  readonly #log: Log
  readonly #options: ConsumerOptions
  readonly #topics: readonly Topic[]
  readonly #policies: Readonly<Record<RetryClass, RetryPolicy>>
  readonly #lanes = new Map<string, Lane>()
  readonly #closing = new Set<Promise<void>>()
  readonly #pump: Pump
  #fail: (error: Error) => void = () => {}
  #stopping: Promise<void> | undefined

  constructor(log: Log, native: NativeLog, topics: readonly Topic[], options: ConsumerOptions) {
    this.#log = log
    this.#options = options
    this.#topics = topics
    this.#policies = { ...retryPolicies, ...options.retryPolicies }
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => {})
    const partitions = topics.reduce((sum, topic) => sum + topic.partitions, 0)
    const group = { name: options.group, durable: options.durable ?? false, hungMs: options.hungMs ?? HUNG_MS }
    const from = nativePlace(options.from ?? 'begin')
    const names = topics.map((topic) => topic.name)
    this.#pump = new Pump(
      native,
      names,
      partitions,
      { group, from, heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS },
      {
        message: (topic, partition, delivery) => this.#deliver(topic, partition, delivery),
        assigned: (topic, partition, generation, offset) => this.#assign(topic, partition, generation, offset),
        revoked: (topic, partition, generation) => this.#revoke(topic, partition, generation),
        lost: (topic, partition, generation) => this.#lose(topic, partition, generation),
        end: () => {},
        failed: (topic, partition, status) => {
          this.#fail(new LogError(`${names[topic]} partition ${partition} cannot be read: ${logStatus(status)}`))
        },
        hole: (hole) => {
          this.counters.holes++
          options.onHole?.(hole)
        },
      },
    )
    this.#pump.start()
  }

  get assigned(): readonly AssignedPartition[] {
    return [...this.#lanes.values()].map(({ topic, partition, generation, committed, retriesWaiting, paused }) => {
      return { topic, partition, generation, committed, retriesWaiting, paused }
    })
  }

  lag(): number {
    let lag = 0
    for (const [key, lane] of this.#lanes) {
      const [topic = 0, partition = 0] = key.split('/').map(Number)
      lag += Math.max(0, this.#pump.native.endOffset(topic, partition) - lane.committed)
    }
    return lag
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const lanes = [...this.#lanes.values()]
    await Promise.all(lanes.map((lane) => lane.close()))
    await Promise.all(this.#closing)
    // Those that were revoked meanwhile have been told.
    for (const lane of this.#lanes.values()) this.#options.onRevoked?.(lane.topic, lane.partition, 'stopped')
    this.#lanes.clear()
    this.#pump.stop()
  }

  #deliver(topic: number, partition: number, delivery: Delivery): void {
    const lane = this.#lanes.get(laneKey(topic, partition))
    if (lane === undefined || lane.generation !== delivery.generation) this.#pump.free(delivery)
    else lane.push(delivery)
  }

  #assign(topic: number, partition: number, generation: number, offset: number): void {
    const name = this.#topics[topic]?.name
    if (name === undefined || this.#stopping !== undefined) return
    const isOwner = (): boolean => logStatus(this.#pump.native.check(topic, partition, generation)) === 'ok'
    const statePartitions = Math.max(...this.#topics.map((each) => each.partitions))
    const state = new FencedState(this.#log, this.#options.group, name, partition, statePartitions, generation, isOwner)
    const ports: LanePorts = {
      clock: this.#options.clock ?? systemClock,
      random: this.#options.random ?? Math.random,
      policies: this.#policies,
      handler: this.#options.handler,
      ordered: this.#options.ordered ?? false,
      retriesWaitingMax: this.#options.retriesWaitingMax ?? RETRIES_WAITING_MAX,
      counters: this.counters,
      state,
      commit: (to) => (logStatus(this.#pump.native.commit(topic, partition, generation, to)) === 'ok' ? 'ok' : 'fenced'),
      free: (delivery) => this.#pump.free(delivery),
      bury: async (batch, index, error, attempts, correlationId) => {
        if (!isOwner()) return 'fenced'
        return await this.#bury(batch, index, error, attempts, correlationId)
      },
      onError: (error, { topic, partition, offset }) => this.#options.onError?.(error, { topic, partition, offset }),
      onFenced: () => this.#lose(topic, partition, generation),
    }
    const lane = new Lane(name, partition, generation, offset, ports)
    this.#lanes.set(laneKey(topic, partition), lane)
    lane.start(this.#announce(lane, state, offset))
  }

  async #announce(lane: Lane, state: HandlerContext['state'], offset: number): Promise<void> {
    const { topic, partition, generation, signal } = lane
    try {
      await this.#options.onAssigned?.({ topic, partition, generation, signal, state, offset })
    } catch (error) {
      this.#fail(new LogError(`onAssigned of ${topic} partition ${partition} failed: ${reasonOf(error)}`, { cause: error }))
    }
  }

  #revoke(topic: number, partition: number, generation: number): void {
    const key = laneKey(topic, partition)
    const lane = this.#lanes.get(key)
    if (lane === undefined || lane.generation !== generation) return
    const closed = lane.close().then(() => {
      if (this.#lanes.get(key) === lane) this.#lanes.delete(key)
      this.#options.onRevoked?.(lane.topic, partition, 'revoked')
      this.#pump.native.released(topic, partition, generation)
      this.#closing.delete(closed)
    })
    this.#closing.add(closed)
  }

  #lose(topic: number, partition: number, generation: number): void {
    const key = laneKey(topic, partition)
    const lane = this.#lanes.get(key)
    if (lane === undefined || lane.generation !== generation) return
    this.#lanes.delete(key)
    lane.lose()
    this.#options.onRevoked?.(lane.topic, partition, 'lost')
  }

  async #bury(batch: SlabBatch, index: number, error: unknown, attempts: number, correlationId: string): Promise<AppendStatus> {
    const view = batch.view()
    const value = view === undefined ? batch.value : view.record(index)
    const letter: DeadLetter = {
      topic: batch.topic,
      partition: batch.partition,
      offset: batch.offset,
      index,
      log: this.#log.id,
      group: this.#options.group,
      reasonClass: retryClassOf(error),
      reason: reasonOf(error),
      attempts: attempts + 1,
      correlationId,
      value: Buffer.from(value).toString('base64'),
    }
    const name = deadLetterTopic(batch.topic)
    const partitions = this.#topics.find((topic) => topic.name === batch.topic)?.partitions ?? 1
    try {
      await this.#log.ensureTopic({ name, partitions })
    } catch (refused) {
      // The record waits, uncommitted, and is tried again: nobody awaits this but the partition's own loop.
      if (refused instanceof DiskFullError) return 'diskFull'
      return refused instanceof LogBusyError ? 'busy' : 'ioError'
    }
    const key = `${batch.topic}/${batch.partition}/${batch.offset}/${index}`
    const bytes = new TextEncoder().encode(JSON.stringify(letter))
    return (await this.#log.append(name, batch.partition, { kind: 'opaque', key, value: bytes })).status
  }
}
