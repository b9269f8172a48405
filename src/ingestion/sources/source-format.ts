/** What kind of recording a file is: told by its first bytes, never by its name. */
import { SourceError } from '../../core/errors.js'
import { type CaptureFormat, dbnLacksReceiveTimes, detectCapture } from '../../native/feed.js'
import { firstBytes } from './file-chunks.js'

/** `csv` is never detected: it needs a declaration (config/venues). */
export type SourceFormat = CaptureFormat | 'dbn' | 'csv'

export const sourceFormats: readonly SourceFormat[] = ['recorder', 'lines', 'cryptofeed', 'ndjson', 'frame', 'dbn', 'csv']

export interface DetectedSource {
  readonly format: SourceFormat
  readonly hasReceiveTimes: boolean
}

const timed: ReadonlySet<SourceFormat> = new Set(['recorder', 'lines', 'cryptofeed'])

/** `wanted` wins over what the bytes look like. Throws when neither tells. */
export async function detectSource(path: string, wanted?: SourceFormat): Promise<DetectedSource> {
  const bytes = wanted !== undefined && wanted !== 'dbn' ? new Uint8Array(0) : await firstBytes(path)
  const isDbn = bytes.length > 4 && Buffer.from(bytes.subarray(0, 3)).toString('latin1') === 'DBN'
  const format = wanted ?? (isDbn ? 'dbn' : detectCapture(bytes))
  if (format === undefined) {
    throw new SourceError(`${path}: its first bytes look like no recording this engine knows`, {
      file: path,
      validValues: sourceFormats,
      fix: 'say what it is with a format, or declare a CSV source in config/venues',
    })
  }
  return { format, hasReceiveTimes: format === 'dbn' ? !dbnLacksReceiveTimes(bytes) : timed.has(format) }
}

/** Where the first item of our own capture says what it is (native/feed/capture_recorder.h). */
const item = { magic: 'TWCAPT01', type: 28, aboutLength: 30, about: 52, opening: 1 } as const

/** The venue of a capture made by this engine; undefined for every other file. */
export async function recordedVenue(path: string): Promise<string | undefined> {
  const bytes = Buffer.from(await firstBytes(path))
  if (bytes.length < item.about || bytes.toString('latin1', 0, 8) !== item.magic || bytes[item.type] !== item.opening)
    return undefined
  const venue = bytes.toString('latin1', item.about, item.about + bytes.readUInt16LE(item.aboutLength))
  return /^[a-z0-9_]{1,32}$/.test(venue) ? venue : undefined
}
