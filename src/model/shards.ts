/**
 * Which ingestion instance owns a symbol. Highest random weight: when an instance is added, only the symbols that it takes over
 * move (a hash modulo the count would move nearly all of them).
 */
export function shardOf(symbol: string, shards: number): number {
  let owner = 0
  let best = -1
  for (let shard = 0; shard < shards; shard++) {
    const weight = mix(fnv1a(symbol) ^ Math.imul(shard + 1, 0x9e3779b1))
    if (weight > best) {
      best = weight
      owner = shard
    }
  }
  return owner
}

/** The symbols of instance 1…instances, in the order given. */
export const symbolsOfInstance = (symbols: readonly string[], instance: number, instances: number): string[] =>
  symbols.filter((symbol) => shardOf(symbol, instances) === instance - 1)

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

function mix(value: number): number {
  let x = value >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}
