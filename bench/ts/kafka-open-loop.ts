/**
 * Ticks at a fixed rate into a local log, whatever becomes of them: the clock of a tick starts when it was due, and its record says
 * when that was (ts_recv). A late loop appends what is due at once, as ingestion does after a pause.
 */
import { encodeBatch, type NativeAppender, type NativeLog, openNativeAppender } from '../../src/native/log.js'
import { murmur2 } from '../../src/native/model.js'
import { layout } from '../../src/wire/index.js'
import { Market, RECORD_BYTES } from './kafka-market.js'

const APPEND_KIND_BATCH = 1
const IDLE_MS = 0.05
const { fields, type } = layout.records.trade

const STEP_BYTES = 256 * RECORD_BYTES

/** Milliseconds as nanoseconds, as exact as a double is: a BigInt a tick would cost more than the tick. */
function writeNs(bytes: Buffer, at: number, ms: number): void {
  const ns = Math.floor(ms * 1e6)
  bytes.writeUInt32LE(ns % 2 ** 32, at)
  bytes.writeUInt32LE(Math.floor(ns / 2 ** 32), at + 4)
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Milliseconds since the epoch, to the microsecond. */
export const wallMs = (): number => performance.timeOrigin + performance.now()

/** Calls `step` with the ticks that are due, in order, until `ticks` were. */
export async function openLoop(
  ticks: number,
  perSecond: number,
  step: (first: number, next: number, dueMs: (tick: number) => number) => void,
): Promise<void> {
  const begin = wallMs() + 20
  const intervalMs = 1000 / perSecond
  const dueMs = (tick: number): number => begin + tick * intervalMs
  let sent = 0
  while (sent < ticks) {
    const due = Math.min(ticks, Math.floor((wallMs() - begin) / intervalMs) + 1)
    if (due > sent) {
      step(sent, due, dueMs)
      sent = due
    }
    // A feed's thread sleeps between ticks; one that spins would take a core from whoever works behind it.
    Atomics.wait(sleeper, 0, 0, IDLE_MS)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Appends ticks to the partitions of a log's topic, one batch a partition and step. */
export class TickAppender {
  readonly #appenders: NativeAppender[]
  readonly #bytes: Buffer
  readonly #partitions: Uint8Array
  readonly #records: number
  /** What is gathered for a batch of each partition, and how much of it there is. */
  readonly #steps: Buffer[]
  readonly #used: Uint32Array
  #seq = 0

  constructor(log: NativeLog, topic: string, partitions: number, records: number) {
    const market = new Market(partitions)
    this.#records = records
    this.#bytes = Buffer.alloc(records * RECORD_BYTES)
    this.#partitions = Uint8Array.from(market.write(this.#bytes), (symbol) => (murmur2(symbol) & 0x7fffffff) % partitions)
    this.#steps = Array.from({ length: partitions }, () => Buffer.alloc(STEP_BYTES))
    this.#used = new Uint32Array(partitions)
    this.#appenders = Array.from({ length: partitions }, (_, partition) => openNativeAppender(log, topic, partition))
  }

  append(first: number, next: number, dueMs: (tick: number) => number): void {
    this.#used.fill(0)
    for (let tick = first; tick < next; tick++) {
      const slot = tick % this.#records
      const partition = this.#partitions[slot] as number
      const used = this.#used[partition] as number
      // A pause that left more than a step takes: what is full goes before the rest.
      if (used === STEP_BYTES) this.#send(partition, dueMs(first))
      const bytes = this.#steps[partition] as Buffer
      const at = this.#used[partition] as number
      this.#bytes.copy(bytes, at, slot * RECORD_BYTES, (slot + 1) * RECORD_BYTES)
      writeNs(bytes, at + fields.ts_recv.offset, dueMs(tick))
      bytes.writeUInt32LE(++this.#seq, at + fields.seq.offset)
      this.#used[partition] = at + RECORD_BYTES
    }
    for (let partition = 0; partition < this.#appenders.length; partition++) this.#send(partition, dueMs(first))
  }

  #send(partition: number, dueMs: number): void {
    const used = this.#used[partition] as number
    if (used === 0) return
    const value = encodeBatch(type, (this.#steps[partition] as Buffer).subarray(0, used), 0n)
    const status = this.#appenders[partition]?.append(APPEND_KIND_BATCH, '', value, BigInt(Math.round(dueMs * 1000)) * 1000n)
    if (status !== 0) throw new Error('append refused')
    this.#used[partition] = 0
  }

  close(): void {
    for (const appender of this.#appenders) appender.close()
  }
}
