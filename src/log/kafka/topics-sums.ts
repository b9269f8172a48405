/** What two sides of a move are compared by: how many messages a key has, a sum over them in any order, a chain over them in order. */
import { createHash } from 'node:crypto'

export interface KeySum {
  count: number
  /** Of the messages' hashes, modulo 2^64: the same in any order. */
  sum: bigint
  /** Hash of the chain so far and the next message's: the same in this order alone. */
  chain: string
}

const sha256 = (...parts: (string | Uint8Array)[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export class Sums {
  readonly #keys = new Map<string, Map<string, KeySum>>()

  add(topic: string, key: string, value: Uint8Array): void {
    const keys = this.#keys.get(topic) ?? new Map<string, KeySum>()
    this.#keys.set(topic, keys)
    const digest = sha256(value)
    const before = keys.get(key) ?? { count: 0, sum: 0n, chain: '' }
    keys.set(key, {
      count: before.count + 1,
      sum: BigInt.asUintN(64, before.sum + digest.readBigUInt64LE(0)),
      chain: sha256(before.chain, digest).toString('hex'),
    })
  }

  topics(): string[] {
    return [...this.#keys.keys()].toSorted()
  }

  of(topic: string): ReadonlyMap<string, KeySum> {
    return this.#keys.get(topic) ?? new Map()
  }
}

export interface TopicComparison {
  readonly topic: string
  readonly keys: number
  readonly from: number
  readonly to: number
  /** Keys whose count, content or order differs. */
  readonly countDiffers: number
  readonly contentDiffers: number
  readonly orderDiffers: number
}

export const isEqual = (c: TopicComparison): boolean => c.countDiffers + c.contentDiffers + c.orderDiffers === 0

export function compareSums(from: Sums, to: Sums): TopicComparison[] {
  const topics = [...new Set([...from.topics(), ...to.topics()])].toSorted()
  return topics.map((topic) => {
    const [a, b] = [from.of(topic), to.of(topic)]
    const keys = [...new Set([...a.keys(), ...b.keys()])]
    const differ = (field: keyof KeySum): number => keys.filter((key) => a.get(key)?.[field] !== b.get(key)?.[field]).length
    const total = (sums: ReadonlyMap<string, KeySum>): number => [...sums.values()].reduce((n, s) => n + s.count, 0)
    return {
      topic,
      keys: keys.length,
      from: total(a),
      to: total(b),
      countDiffers: differ('count'),
      contentDiffers: differ('sum'),
      orderDiffers: differ('chain'),
    }
  })
}

/** Offsets of one partition that were seen: a bit each, because a topic may hold millions. */
export class OffsetSet {
  readonly #first: number
  #bits = new Uint8Array(1_024)

  constructor(first: number) {
    this.#first = first
  }

  has(offset: number): boolean {
    const at = offset - this.#first
    return at >= 0 && ((this.#bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0
  }

  /** False: it was there. */
  add(offset: number): boolean {
    const at = offset - this.#first
    if (at < 0) throw new RangeError(`offset ${offset} is before the first, ${this.#first}`)
    if (at >> 3 >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(this.#bits.length * 2, (at >> 3) + 1))
      grown.set(this.#bits)
      this.#bits = grown
    }
    if (this.has(offset)) return false
    this.#bits[at >> 3] = (this.#bits[at >> 3] ?? 0) | (1 << (at & 7))
    return true
  }
}
