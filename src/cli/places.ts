/** Places in a log as people write them. */
import { UsageError } from '../core/errors.js'
import { type Place, placeOfEvent } from '../log/index.js'
import { parseDurationMs } from '../model/units.js'

const PLACES = [
  'begin',
  'end',
  '2026-11-26T09:15:00Z',
  '10m (ago)',
  'offset:1234',
  'epoch.seq:1700000000.42',
  't-16777217-0-1700000000-42 (event id)',
] as const

/** `begin`, `end`, an ISO time, a duration ago, `offset:N`, `epoch.seq:E.S`, an event id. */
export function placeOf(text: string, option: string, nowNs: bigint): Place {
  if (text === 'begin' || text === 'end') return text
  const offset = /^offset:(\d{1,15})$/.exec(text)
  if (offset !== null) return { offset: Number(offset[1]) }
  const position = /^epoch\.seq:(\d{1,10})\.(\d{1,10})$/.exec(text)
  if (position !== null) return { epoch: Number(position[1]), seq: Number(position[2]) }
  const event = placeOfEvent(text)
  if (event !== undefined) return event
  const agoMs = parseDurationMs(text)
  if (agoMs !== undefined) return { time: nowNs - BigInt(agoMs) * 1_000_000n }
  const time = timeNs(text)
  if (time !== undefined) return { time }
  throw new UsageError(`${JSON.stringify(text.slice(0, 60))} is not a place in the log`, {
    field: option,
    validValues: PLACES,
    fix: 'use one of these forms',
  })
}

/** ISO time with up to nine digits of a second; without a zone it is UTC. */
export function timeNs(text: string): bigint | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text)
  if (match === null) return undefined
  const ms = Date.parse(`${match[1]}T${(match[2] ?? '00:00').padEnd(8, ':00')}${match[4] ?? 'Z'}`)
  if (Number.isNaN(ms)) return undefined
  return BigInt(ms) * 1_000_000n + BigInt((match[3] ?? '').padEnd(9, '0') || '0')
}

/** `BTCUSDT,ETHUSDT` */
export const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
