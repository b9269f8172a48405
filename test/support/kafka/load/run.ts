/** One load on a cluster: a topic, a process that fills it, members that read it, and the check of all they did. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openKafkaLog, openLog } from '../../../../src/log/index.js'
import { until } from '../../until.js'
import { uniqueName } from '../shared.js'
import { checkLoad, type LoadHistory } from './checker.js'
import type { ConsumeStatus, Holes, ProduceStatus, TapLine } from './orders.js'
import { type LoadProcess, startConsume, startProduce } from './processes.js'

export interface LoadOptions {
  readonly brokers: string
  readonly replication: number
  readonly recordsPerSecond: number
  readonly partitions?: number
  readonly groupProtocol?: 'consumer' | 'classic'
}

/** What was appended, and what the group has had of it, catch up within this when nothing is wrong. */
const DRAIN_MS_MAX = 180_000
const FLOWS_MS_MAX = 60_000

export class LoadRun {
  readonly topic = `market.crypto.trades.${uniqueName('load')}`
  readonly partitions: number
  readonly members: LoadProcess<ConsumeStatus>[] = []
  readonly #gone = new Set<LoadProcess<ConsumeStatus>>()
  readonly #options: LoadOptions
  readonly #directory = mkdtempSync(join(tmpdir(), 'tickwire-load-'))
  #producer: LoadProcess<ProduceStatus> | undefined
  #epochs = 0

  constructor(options: LoadOptions) {
    this.#options = options
    this.partitions = options.partitions ?? 4
  }

  get recordsPerSecond(): number {
    return this.#options.recordsPerSecond
  }

  get producer(): LoadProcess<ProduceStatus> {
    if (this.#producer === undefined) throw new Error('nothing is produced yet')
    return this.#producer
  }

  /** The topic, its load and one member, until records arrive from every partition. */
  async start(): Promise<void> {
    const { brokers, replication } = this.#options
    mkdirSync(join(this.#directory, 'taps'))
    const log = await openKafkaLog({
      properties: { 'bootstrap.servers': brokers },
      replication,
      minIsr: Math.min(2, replication),
    })
    await log.ensureTopic({ name: this.topic, partitions: this.partitions })
    await log.close()
    await this.produce()
    await this.join()
    await this.flows()
  }

  /** Another process on the same local log, with an epoch of its own. */
  async produce(): Promise<void> {
    const { brokers, recordsPerSecond } = this.#options
    const { topic, partitions } = this
    const epoch = 1_700_000_000 + ++this.#epochs
    this.#producer = await startProduce({
      brokers,
      topic,
      partitions,
      recordsPerSecond,
      epoch,
      directory: join(this.#directory, 'log'),
    })
  }

  async join(): Promise<LoadProcess<ConsumeStatus>> {
    const tap = join(this.#directory, 'taps', `${String(this.members.length).padStart(3, '0')}.ndjson`)
    const { brokers, groupProtocol = 'consumer' } = this.#options
    const member = await startConsume({ brokers, topic: this.topic, group: this.topic, groupProtocol, tap })
    this.members.push(member)
    return member
  }

  async leave(member: LoadProcess<ConsumeStatus>, how: 'kill' | 'stop'): Promise<void> {
    this.#gone.add(member)
    await member[how]()
  }

  /** New records are acknowledged and delivered, of every partition. */
  async flows(): Promise<void> {
    const before = this.#handled()
    const acknowledged = [...this.producer.status.acknowledged]
    await until(
      'records to arrive from every partition',
      () =>
        this.#handled().every((offset, p) => offset > (before[p] ?? 0)) &&
        this.producer.status.acknowledged.every((offset, p) => offset > (acknowledged[p] ?? 0)),
      FLOWS_MS_MAX,
    )
  }

  async measure(): Promise<void> {
    await Promise.all([this.producer, ...this.#present()].map((each) => each.measure()))
  }

  /** Of one member that stays: it tells of the partitions it has. */
  holes(): { readonly acks: Holes; readonly deliveries: Holes } {
    const [first] = this.#present()
    if (first === undefined) throw new Error('nobody reads')
    return { acks: this.producer.status.holes, deliveries: first.status.holes }
  }

  /** No more records; all that stand are acknowledged and delivered; everybody ends; the history is checked. */
  async finish(): Promise<LoadHistory> {
    this.producer.order('rest')
    const drained = (): boolean => {
      const { ends, acknowledged } = this.producer.status
      return ends.every((end, p) => end > 0 && end === acknowledged[p])
    }
    await this.producer.measure()
    await until('the brokers to have all records', drained, DRAIN_MS_MAX)
    const properties = { 'bootstrap.servers': this.#options.brokers }
    const kafka = await openKafkaLog({ properties })
    const local = await openLog({ directory: join(this.#directory, 'log'), readOnly: true })
    try {
      const ends = await Promise.all(
        Array.from({ length: this.partitions }, async (_, p) => (await kafka.describe(this.topic, p))?.endOffset ?? 0),
      )
      await until('the group to have had all', () => this.#handled().every((offset, p) => offset >= (ends[p] ?? 0)), DRAIN_MS_MAX)
      for (const member of this.#present()) await this.leave(member, 'stop')
      await this.producer.stop()
      const taps = join(this.#directory, 'taps')
      const history = await checkLoad(
        local,
        kafka,
        this.topic,
        readdirSync(taps)
          .toSorted()
          .map((file) => linesOf(join(taps, file))),
      )
      expect(history.problems).toEqual([])
      expect(history.counted.records).toBeGreaterThan(0)
      return history
    } finally {
      await kafka.close()
      await local.close()
    }
  }

  /** Ends what still runs. */
  async end(): Promise<void> {
    await Promise.all([this.#producer?.kill(), ...this.#present().map((member) => this.leave(member, 'kill'))])
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #present(): LoadProcess<ConsumeStatus>[] {
    return this.members.filter((member) => !this.#gone.has(member))
  }

  #handled(): number[] {
    const all = this.members.map((member) => member.status.handled)
    return Array.from({ length: this.partitions }, (_, p) => Math.max(0, ...all.map((handled) => handled[p] ?? 0)))
  }
}

/** Whole lines: the last one of a killed process may be cut. */
function linesOf(file: string): TapLine[] {
  const text = readFileSync(file, 'utf8')
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TapLine)
}
