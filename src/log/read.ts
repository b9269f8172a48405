/** read(): an async iterator of batches over a pump. One batch is out at a time; the next step gives its bytes back. */
import { LogError, UsageError } from '../core/index.js'
import { logStatus, type NativeLog, type NativeRange } from '../native/log.js'
import { nativePlace } from './options.js'
import { type Delivery, Pump } from './pump.js'
import type { Batch, OpenLogOptions, ReadOptions } from './types.js'

export function readBatches(
  log: NativeLog,
  options: ReadOptions,
  instrumentsOf: OpenLogOptions['instrumentsOf'],
  onFinished: (iterator: AsyncIterableIterator<Batch>) => void,
): AsyncIterableIterator<Batch> {
  const topics = [...options.topics]
  const ranges: NativeRange[] = []
  const instruments: (ReadonlySet<number> | undefined)[] = []
  const { symbols } = options
  if (symbols !== undefined && instrumentsOf === undefined) {
    throw new LogError('read({symbols}) needs instrumentsOf: pass it to openLog')
  }
  for (const [index, topic] of topics.entries()) {
    const partitions = log.partitions(topic)
    if (partitions === undefined) throw new LogError(`no topic ${topic}`, { validValues: log.topics().map(({ name }) => name) })
    const wanted = new Set(options.partitions ?? Array.from({ length: partitions }, (_, partition) => partition))
    if (symbols !== undefined && instrumentsOf !== undefined) {
      // In whichever partition: a topic that grew, or gave a symbol a partition of its own, holds its history in another one.
      instruments[index] = new Set(symbols.flatMap((symbol) => instrumentsOf(symbol, topic)))
    }
    for (const partition of wanted) {
      if (partition >= partitions)
        throw new UsageError(`${topic} has ${partitions} partitions, no partition ${partition}`, {
          field: 'partition',
          fix: `give 0 to ${partitions - 1}`,
        })
      const to = nativePlace(options.to ?? 'end')
      ranges.push({ topic: index, partition, from: nativePlace(options.from ?? 'begin'), to, follow: options.follow ?? false })
    }
  }
  return new BatchIterator(log, topics, ranges, instruments, options, onFinished)
}

class BatchIterator implements AsyncIterableIterator<Batch> {
  readonly #pump: Pump
  readonly #queue: Delivery[] = []
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => this.#finish()
  readonly #onFinished: (iterator: AsyncIterableIterator<Batch>) => void
  #open: number
  #out: Delivery | undefined
  #wake: (() => void) | undefined
  #error: Error | undefined
  #finished = false

  constructor(
    log: NativeLog,
    topics: readonly string[],
    ranges: readonly NativeRange[],
    instruments: readonly (ReadonlySet<number> | undefined)[],
    options: ReadOptions,
    onFinished: (iterator: AsyncIterableIterator<Batch>) => void,
  ) {
    this.#onFinished = onFinished
    this.#open = ranges.length
    this.#signal = options.signal
    this.#pump = new Pump(
      log,
      topics,
      ranges.length,
      { ranges },
      {
        message: (_topic, _partition, delivery) => void this.#queue.push(delivery),
        assigned: () => {},
        revoked: () => {},
        lost: () => {},
        end: () => void this.#open--,
        failed: (topic, partition, status) => {
          this.#error = new LogError(`${topics[topic]} partition ${partition}: ${logStatus(status)}`)
        },
        hole: (hole) => options.onHole?.(hole),
        drained: () => this.#wake?.(),
      },
      instruments,
    )
    if (this.#signal?.aborted || this.#open === 0) this.#finish()
    else {
      this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
      this.#pump.start()
    }
  }

  async next(): Promise<IteratorResult<Batch>> {
    this.#giveBack()
    for (;;) {
      if (this.#finished) return { done: true, value: undefined }
      const delivery = this.#queue.shift()
      if (delivery !== undefined) {
        this.#out = delivery
        if (delivery.batch.selected?.length !== 0) return { done: false, value: delivery.batch }
        this.#giveBack()
        continue
      }
      if (this.#error !== undefined) {
        const error = this.#error
        this.#finish()
        throw error
      }
      if (this.#open === 0) {
        this.#finish()
        continue
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }

  async return(): Promise<IteratorResult<Batch>> {
    this.#finish()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #giveBack(): void {
    if (this.#out !== undefined) this.#pump.free(this.#out)
    this.#out = undefined
  }

  #finish(): void {
    if (this.#finished) return
    this.#giveBack()
    this.#finished = true
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#pump.stop()
    this.#onFinished(this)
    this.#wake?.()
  }
}
