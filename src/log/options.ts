/** Places and limits as the native side takes them. */
import type { NativePlace } from '../native/log.js'
import type { Place } from './types.js'

export const CELL_BYTES = 256 * 1024
export const CELLS_MIN = 8
export const CELLS_MAX = 64
export const ROWS = 512
export const RETRIES_WAITING_MAX = 1_000
export const HEARTBEAT_MS = 200
export const HUNG_MS = 6_000
/** A state chunk's bytes; well below the smallest segment. */
export const STATE_CHUNK_BYTES = 32 * 1024

export function nativePlace(place: Place): NativePlace {
  if (place === 'begin') return { kind: 0 }
  if (place === 'end') return { kind: 1 }
  if ('offset' in place) return { kind: 2, value: place.offset }
  if ('time' in place) return { kind: 3, value: place.time }
  return { kind: 4, value: (BigInt(place.epoch) << 32n) | BigInt(place.seq) }
}

/** The topic dead letters of a topic go to. */
export const deadLetterTopic = (topic: string): string => `${topic}.dlq`
/** The compacted topic of a processor's state. */
export const stateTopic = (group: string): string => `tickwire.state.${group}`
