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
  #seq = 0

  constructor(log: NativeLog, topic: string, partitions: number, records: number) {
    const market = new Market(partitions)
    this.#records = records
    this.#bytes = Buffer.alloc(records * RECORD_BYTES)
    this.#partitions = Uint8Array.from(market.write(this.#bytes), (symbol) => (murmur2(symbol) & 0x7fffffff) % partitions)
    this.#appenders = Array.from({ length: partitions }, (_, partition) => openNativeAppender(log, topic, partition))
  }

  append(first: number, next: number, dueMs: (tick: number) => number): void {
    for (const [partition, appender] of this.#appenders.entries()) {
      const parts: Buffer[] = []
      for (let tick = first; tick < next; tick++) {
        const slot = tick % this.#records
        if (this.#partitions[slot] !== partition) continue
        const record = this.#bytes.subarray(slot * RECORD_BYTES, (slot + 1) * RECORD_BYTES)
        record.writeBigUInt64LE(BigInt(Math.round(dueMs(tick) * 1000)) * 1000n, fields.ts_recv.offset)
        record.writeUInt32LE(++this.#seq, fields.seq.offset)
        parts.push(record)
      }
      if (parts.length === 0) continue
      const value = encodeBatch(type, parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts), 0n)
      const status = appender.append(APPEND_KIND_BATCH, '', value, BigInt(Math.round(dueMs(first) * 1000)) * 1000n)
      if (status !== 0) throw new Error('append refused')
    }
  }

  close(): void {
    for (const appender of this.#appenders) appender.close()
  }
}
