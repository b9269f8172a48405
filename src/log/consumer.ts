/**
 * A member of a consumer group: hands each assigned partition's batches to the handler, one in flight per partition, and
 * commits after them. Reads its topics, writes dead letters and whatever the handler writes; one event loop beside the
 * native thread that reads and beats. A slow handler stops the reading of its partition only.
 */
import { LogError, type RetryClass, type RetryPolicy, retryPolicies, systemClock } from '../core/index.js'
import { logStatus, type NativeLog } from '../native/log.js'
import { type DeadLetterMessage, type Death, letterOf, reasonOf } from './dead-letter.js'
import { Redriver } from './dead-letter-redrive.js'
import { DeadLetterWriter } from './dead-letter-writer.js'
import { Lane, type LanePorts } from './lane.js'
import { HEARTBEAT_MS, HUNG_MS, nativePlace, RETRIES_WAITING_MAX } from './options.js'
import { type Delivery, Pump } from './pump.js'
import { FencedState } from './state.js'
import type {
  AppendStatus,
  AssignedPartition,
  Consumer,
  ConsumerCounters,
  ConsumerOptions,
  HandlerContext,
  Log,
  Topic,
} from './types.js'

const laneKey = (topic: number, partition: number): string => `${topic}/${partition}`

export const newCounters = (): ConsumerCounters => ({
  batches: 0,
  records: 0,
  failed: 0,
  retried: 0,
  deadLetters: 0,
  undecodable: 0,
  redriven: 0,
  commits: 0,
  fenced: 0,
  handlerErrors: 0,
  holes: 0,
})

export class GroupConsumer implements Consumer {
  readonly counters = newCounters()
  readonly failed: Promise<never>
  readonly #log: Log
  readonly #options: ConsumerOptions
  readonly #topics: readonly Topic[]
  readonly #policies: Readonly<Record<RetryClass, RetryPolicy>>
  readonly #lanes = new Map<string, Lane>()
  readonly #closing = new Set<Promise<void>>()
  readonly #redrivers = new Set<Redriver>()
  readonly #letters: DeadLetterWriter
  readonly #pump: Pump
  readonly #onStopped: (consumer: Consumer) => void
  #fail: (error: Error) => void = () => {}
  #stopping: Promise<void> | undefined

  constructor(
    log: Log,
    native: NativeLog,
    topics: readonly Topic[],
    options: ConsumerOptions,
    onStopped: (consumer: Consumer) => void,
  ) {
    this.#log = log
    this.#options = options
    this.#onStopped = onStopped
    this.#topics = topics
    const partitionsOf = (name: string): number => topics.find((topic) => topic.name === name)?.partitions ?? 1
    this.#letters = new DeadLetterWriter(log, options.deadLetters, partitionsOf)
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
    const redrivers = [...this.#redrivers]
    await Promise.all(lanes.map((lane) => lane.close()))
    await Promise.all(this.#closing)
    await Promise.all(redrivers.map((redriver) => redriver.ended()))
    // Those that were revoked meanwhile have been told.
    for (const lane of this.#lanes.values()) this.#options.onRevoked?.(lane.topic, lane.partition, 'stopped')
    this.#lanes.clear()
    this.#pump.stop()
    this.#onStopped(this)
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
    const clock = this.#options.clock ?? systemClock
    const random = this.#options.random ?? Math.random
    const write = async (id: string, message: DeadLetterMessage): Promise<AppendStatus> =>
      isOwner() ? await this.#letters.write(name, partition, id, message) : 'fenced'
    const bury = async (death: Omit<Death, 'log' | 'group' | 'tsDead'>): Promise<AppendStatus> => {
      const letter = letterOf({ ...death, log: this.#log.id, group: this.#options.group, tsDead: clock.wallNs() })
      return await write(letter.id, letter)
    }
    const ports: LanePorts = {
      clock,
      random,
      policies: this.#policies,
      handler: this.#options.handler,
      ordered: this.#options.ordered ?? false,
      retriesWaitingMax: this.#options.retriesWaitingMax ?? RETRIES_WAITING_MAX,
      counters: this.counters,
      state,
      commit: (to) => (logStatus(this.#pump.native.commit(topic, partition, generation, to)) === 'ok' ? 'ok' : 'fenced'),
      free: (delivery) => this.#pump.free(delivery),
      bury: async (batch, index, error, attempts, correlationId) => {
        const status = await bury({ batch, index, error, attempts: attempts + 1, correlationId })
        redriver?.wake()
        return status
      },
      onError: (error, { topic, partition, offset }) => this.#options.onError?.(error, { topic, partition, offset }),
      onFenced: () => this.#lose(topic, partition, generation),
    }
    const lane = new Lane(name, partition, generation, offset, ports)
    const redriver = this.#options.redrive === false ? undefined : this.#redriverOf(lane, ports, bury, write)
    this.#lanes.set(laneKey(topic, partition), lane)
    lane.start(this.#announce(lane, state, offset))
    redriver?.wake()
  }

  #redriverOf(
    lane: Lane,
    { clock, random, policies, counters }: LanePorts,
    bury: (death: Omit<Death, 'log' | 'group' | 'tsDead'>) => Promise<AppendStatus>,
    write: (id: string, message: DeadLetterMessage) => Promise<AppendStatus>,
  ): Redriver {
    const { topic, partition } = lane
    const redriver = new Redriver(lane, {
      log: this.#log,
      group: this.#options.group,
      clock,
      random,
      policies,
      counters,
      bury: (batch, { index, error }, attempts, before) =>
        bury({ batch, index, error, attempts: attempts + 1, correlationId: before.letter.correlationId, before }),
      mark: write,
      onError: (error) => this.#options.onError?.(error, { topic, partition, offset: lane.committed }),
    })
    this.#redrivers.add(redriver)
    lane.signal.addEventListener('abort', () => this.#redrivers.delete(redriver), { once: true })
    return redriver
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
}
