/** One message over a slab. */
import { BatchFormatError, BatchView, fieldsOf } from '../wire/index.js'
import type { Batch, MessageKind } from './types.js'

/** Poisons views after they end, so that a handler which kept one finds out. */
export const isDebug = process.env.TICKWIRE_DEBUG === '1'

const utf8 = new TextDecoder()

export class SlabBatch implements Batch {
  #view: BatchView | undefined | null = null
  #selected: readonly number[] | undefined | null = null
  #problem: string | undefined
  #key: string | undefined

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly offset: number,
    readonly count: number,
    readonly kind: MessageKind,
    readonly value: Uint8Array,
    readonly keyBytes: Uint8Array,
    readonly instruments: ReadonlySet<number> | undefined,
  ) {}

  get key(): string {
    if (this.#key === undefined) this.#key = this.keyBytes.length === 0 ? '' : utf8.decode(this.keyBytes.slice())
    return this.#key
  }

  view(): BatchView | undefined {
    if (this.#view !== null) return this.#view
    this.#view = undefined
    if (this.kind === 'batch') {
      try {
        this.#view = new BatchView(this.value)
      } catch (error) {
        if (!(error instanceof BatchFormatError)) throw error
        this.#problem = error.message
      }
    }
    return this.#view
  }

  /** Why a batch cannot be read; undefined: it can, or is none. */
  get problem(): string | undefined {
    return this.view() === undefined ? this.#problem : undefined
  }

  get records(): number {
    return this.view()?.count ?? 1
  }

  get selected(): readonly number[] | undefined {
    if (this.#selected !== null) return this.#selected
    this.#selected = undefined
    const view = this.instruments === undefined ? undefined : this.view()
    if (view !== undefined && this.instruments !== undefined) {
      const field = fieldsOf(view.name).instrument_id
      const selected: number[] = []
      for (let i = 0; field !== undefined && i < view.count; i++) {
        if (this.instruments.has(view.number(field, i))) selected.push(i)
      }
      this.#selected = selected
    }
    return this.#selected
  }

  copy(): SlabBatch {
    const { topic, partition, offset, count, kind } = this
    return new SlabBatch(topic, partition, offset, count, kind, aligned(this.value), this.keyBytes.slice(), this.instruments)
  }

  /** The slab's bytes are about to be used again. */
  end(): void {
    if (isDebug) this.value.fill(0xdb)
  }
}

/** A copy in memory of its own, out of the shared slab. */
function aligned(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}
