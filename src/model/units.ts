/** Durations and sizes as people write them in configuration. */
import { z } from 'zod'

const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZE_BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1 << 10, MiB: 1 << 20, GiB: 1 << 30 }

/** `250ms`, `30s`, `5m`, `4h`, `7d` in milliseconds; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text)
  const unit = DURATION_MS[match?.[2] ?? '']
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit
}

/** `64KiB`, `64MiB`, `1GiB` in bytes; undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,9})(B|KiB|MiB|GiB)$/.exec(text)
  const unit = SIZE_BYTES[match?.[2] ?? '']
  const bytes = match === null || unit === undefined ? undefined : Number(match[1]) * unit
  return bytes === undefined || !Number.isSafeInteger(bytes) ? undefined : bytes
}

const parsed = (parse: (text: string) => number | undefined, expected: string) =>
  z.string().transform((text, context) => {
    const value = parse(text)
    if (value === undefined) {
      context.addIssue({ code: 'custom', message: `expected ${expected}` })
      return z.NEVER
    }
    return value
  })

/** -1 is forever. */
export const retentionMs = parsed(
  (text) => (text === 'forever' ? -1 : parseDurationMs(text)),
  'a duration such as 4h or 7d, or forever',
)
export const sizeBytes = parsed(parseBytes, 'a size such as 512KiB, 64MiB or 1GiB')
export const segmentBytes = parsed((text) => {
  const bytes = parseBytes(text)
  const isPower = bytes !== undefined && bytes > 0 && Number.isInteger(Math.log2(bytes))
  return isPower && bytes >= 65_536 && bytes <= 1 << 30 ? bytes : undefined
}, 'a power of two from 64KiB to 1GiB')

/** `1s` … `1d`: the names of bar intervals, shortest first. */
export const intervalNames = ['1s', '5s', '1m', '3m', '5m', '15m', '30m', '1h', '4h', '1d'] as const
export type IntervalName = (typeof intervalNames)[number]
export const intervalMs = (name: IntervalName): number => parseDurationMs(name) ?? 0

/** Milliseconds as configuration writes them: `7d`, `forever`. */
export function retentionText(ms: number): string {
  if (ms < 0) return 'forever'
  for (const unit of ['d', 'h', 'm', 's']) {
    const length = DURATION_MS[unit] ?? 1
    if (ms >= length && ms % length === 0) return `${ms / length}${unit}`
  }
  return `${ms}ms`
}
