/**
 * Runs the four processes of the crash suite on one directory and kills them at seeded moments: SIGKILL as it comes, or
 * SIGSTOP first, so that a partition's lock stays held for a while before its holder dies. Gives the taps and the directory.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Log, openLog } from '../../../src/log/index.js'
import { until } from '../until.js'
import { SeededRandom } from '../venues/random.js'
import { workerFile } from '../worker-file.js'
import * as suite from './orders.js'

const roles = ['ingest', 'ingest', 'bars', 'consume'] as const
const READY_MS = 60_000

/** One of the four places, and whichever process fills it now. */
class Place {
  child: ChildProcess | undefined
  ready = false
  positions = new Map<number, number>()
  retries = 0
  incarnation = 0
  killing = false
  failure: string | undefined

  constructor(
    readonly index: number,
    readonly worker: string,
    readonly directory: string,
    readonly taps: string,
    readonly seed: number,
    readonly startedMs: number,
  ) {}

  get role(): (typeof roles)[number] {
    return roles[this.index] ?? 'consume'
  }

  start(): void {
    this.incarnation++
    this.ready = false
    this.killing = false
    this.positions.clear()
    this.retries = -1
    const orders: suite.Orders = {
      role: this.role,
      directory: this.directory,
      tap: join(this.taps, `${this.index}-${String(this.incarnation).padStart(5, '0')}.ndjson`),
      seed: this.seed * 1000 + this.incarnation * 10 + this.index,
      shard: this.index,
      startedMs: this.startedMs,
    }
    const child = fork(this.worker, [JSON.stringify(orders)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] })
    this.child = child
    child.on('message', (message) => {
      if (this.child !== child) return
      this.ready = true
      if (typeof message !== 'object' || message === null) return
      const told = message as { positions?: [number, number][]; committed?: [number, number][]; retries?: number }
      this.positions = new Map(told.positions ?? told.committed ?? [])
      this.retries = told.retries ?? 0
    })
    child.on('exit', (code, signal) => {
      if (this.child === child && !this.killing) this.failure ??= `${this.role} ${this.index} ended by itself: ${code ?? signal}`
    })
  }

  async kill(stoppedMs: number): Promise<void> {
    const { child } = this
    if (child === undefined) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    if (child.exitCode !== null || child.signalCode !== null) return
    this.killing = true
    if (stoppedMs > 0) {
      child.kill('SIGSTOP')
      await new Promise((resolve) => setTimeout(resolve, stoppedMs))
    }
    child.kill('SIGKILL')
    await gone
  }

  async stop(): Promise<void> {
    const { child } = this
    if (child === undefined || child.exitCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    this.killing = true
    child.send('stop')
    await gone
    if (child.exitCode !== 0) this.failure ??= `${this.role} ${this.index} did not stop: ${child.exitCode ?? child.signalCode}`
  }
}

export interface CrashRun {
  readonly taps: readonly (readonly suite.TapLine[])[]
  readonly kills: number
  readonly killsByRole: Readonly<Record<string, number>>
}

export async function crashRun(directory: string, kills: number, seed: number): Promise<CrashRun> {
  const taps = join(directory, 'taps')
  const data = join(directory, 'data')
  mkdirSync(taps, { recursive: true })
  const worker = await workerFile('chaos/worker.ts')
  const log = await openLog({ directory: data })
  for (const name of [suite.trades, suite.gaps, suite.bars]) {
    await log.ensureTopic({ name, partitions: suite.partitions, segmentBytes: 1 << 18 })
  }
  const startedMs = Date.now()
  const places = roles.map((_, index) => new Place(index, worker, data, taps, seed, startedMs))
  const random = new SeededRandom(seed)
  const killsByRole: Record<string, number> = {}
  /** True, or the failure. */
  const check = (): boolean => {
    for (const { failure } of places) if (failure !== undefined) throw new Error(failure)
    return true
  }
  try {
    for (const place of places) place.start()
    for (let killed = 0; killed < kills; ) {
      check()
      const place = places[random.integer(0, places.length - 1)]
      if (place === undefined) continue
      // One in five dies while it starts, the rest while it works.
      if (!random.chance(0.2)) await until(`${place.role} is ready`, () => check() && place.ready, READY_MS)
      await new Promise((resolve) => setTimeout(resolve, random.integer(0, 120)))
      await place.kill(random.chance(0.3) ? random.integer(1, 120) : 0)
      check()
      killed++
      killsByRole[place.role] = (killsByRole[place.role] ?? 0) + 1
      place.start()
    }
    await settle(places, log, check)
  } finally {
    for (const place of places) await place.kill(0)
    await log.close()
  }
  const files = readdirSync(taps).sort()
  return { taps: files.map((file) => tapLines(join(taps, file))), kills, killsByRole }
}

/** Ingestion ends its sessions; bars and the consumer read to the end, then stop. */
async function settle(places: readonly Place[], log: Log, check: () => boolean): Promise<void> {
  await until('all are ready', () => check() && places.every((place) => place.ready), READY_MS)
  for (const place of places) if (place.role === 'ingest') await place.stop()
  const ends = new Map<number, number>()
  for (let p = 0; p < suite.partitions; p++) ends.set(p, (await log.describe(suite.trades, p))?.endOffset ?? 0)
  for (const place of places) {
    if (place.role === 'ingest') continue
    const done = (): boolean => {
      return check() && place.retries === 0 && [...ends].every(([partition, end]) => place.positions.get(partition) === end)
    }
    await until(`${place.role} has read everything`, done, READY_MS)
    await place.stop()
  }
  check()
}

/** Whole lines: the last one of a killed process may be cut. */
function tapLines(file: string): suite.TapLine[] {
  const text = readFileSync(file, 'utf8')
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as suite.TapLine)
}
