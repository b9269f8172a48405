/**
 * Takes what the native consume loop read and hands it to partitions in TypeScript. Reads the slab, writes nothing; one
 * event loop. When a partition is slow its cells stay taken and the native thread stops reading it.
 */
import {
  eventKind,
  type NativeConsumer,
  type NativeConsumerOptions,
  type NativeLog,
  openNativeConsumer,
  row,
} from '../native/log.js'
import { SlabBatch } from './batch.js'
import { CELL_BYTES, CELLS_MAX, CELLS_MIN, ROWS } from './options.js'
import type { Hole } from './types.js'

/** A message that waits for its turn, and the cell it frees. */
export interface Delivery {
  readonly batch: SlabBatch
  readonly generation: number
  /** -1: more messages of the cell follow. */
  readonly freesCell: number
}

export interface PumpEvents {
  message(topic: number, partition: number, delivery: Delivery): void
  assigned(topic: number, partition: number, generation: number, offset: number): void
  revoked(topic: number, partition: number, generation: number): void
  lost(topic: number, partition: number, generation: number): void
  end(topic: number, partition: number): void
  failed(topic: number, partition: number, status: number): void
  hole(hole: Hole): void
  /** After each drain. */
  drained?(): void
}

export class Pump {
  readonly native: NativeConsumer
  readonly #topics: readonly string[]
  readonly #slab: Uint8Array
  readonly #rows = new Float64Array(ROWS * row.width)
  readonly #events: PumpEvents
  readonly #instruments: readonly (ReadonlySet<number> | undefined)[]
  #stopped = false

  constructor(
    log: NativeLog,
    topics: readonly string[],
    partitions: number,
    options: Pick<NativeConsumerOptions, 'from' | 'ranges' | 'group' | 'heartbeatMs'>,
    events: PumpEvents,
    instruments: readonly (ReadonlySet<number> | undefined)[] = [],
  ) {
    const cells = Math.min(CELLS_MAX, Math.max(CELLS_MIN, partitions * 2))
    this.#topics = topics
    this.#slab = new Uint8Array(new SharedArrayBuffer(cells * CELL_BYTES))
    this.#events = events
    this.#instruments = instruments
    this.native = openNativeConsumer(log, {
      ...options,
      topics,
      slab: this.#slab,
      cellBytes: CELL_BYTES,
      rows: this.#rows,
      onWake: () => this.#drain(),
    })
  }

  start(): void {
    this.native.start()
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.native.stop()
  }

  /** The delivery is done with: its bytes may be used again. */
  free(delivery: Delivery): void {
    delivery.batch.end()
    if (delivery.freesCell >= 0 && !this.#stopped) this.native.freeCell(delivery.freesCell)
  }

  #drain(): void {
    const rows = this.#rows
    while (!this.#stopped) {
      const count = this.native.drain()
      for (let i = 0; i < count && !this.#stopped; i++) this.#take(rows, i * row.width)
      if (count < ROWS) break
    }
    this.#events.drained?.()
  }

  #take(rows: Float64Array, at: number): void {
    const field = (column: number): number => rows[at + column] ?? 0
    const topic = field(row.topic)
    const partition = field(row.partition)
    const generation = field(row.generation)
    const offset = field(row.offset)
    const name = this.#topics[topic] ?? ''
    switch (field(row.kind)) {
      case eventKind.message: {
        const valueSize = field(row.valueSize)
        const large = field(row.large) >= 0 ? this.native.takeLarge(field(row.large)) : undefined
        const bytes = large ?? this.#slab
        const start = large === undefined ? field(row.position) : 0
        const value = bytes.subarray(start, start + valueSize)
        const key = bytes.subarray(start + valueSize, start + valueSize + field(row.keySize))
        const kind = field(row.messageKind) === 1 ? 'batch' : 'opaque'
        const batch = new SlabBatch(name, partition, offset, field(row.count), kind, value, key, this.#instruments[topic])
        const freesCell = field(row.freesCell) === 1 ? field(row.cell) : -1
        this.#events.message(topic, partition, { batch, generation, freesCell })
        break
      }
      case eventKind.assigned:
        this.#events.assigned(topic, partition, generation, offset)
        break
      case eventKind.revoked:
        this.#events.revoked(topic, partition, generation)
        break
      case eventKind.lost:
        this.#events.lost(topic, partition, generation)
        break
      case eventKind.skipped:
      case eventKind.expired: {
        const reason = field(row.kind) === eventKind.skipped ? 'corruption' : 'retention'
        this.#events.hole({ topic: name, partition, reason, from: offset, to: field(row.count) })
        break
      }
      case eventKind.end:
        this.#events.end(topic, partition)
        break
      case eventKind.failed:
        this.#events.failed(topic, partition, field(row.status))
        break
    }
  }
}
