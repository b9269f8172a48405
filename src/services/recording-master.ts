/**
 * The instruments of a recording, beside it in `{file}.instruments.json`: exponents decide a record's bytes, so a replay elsewhere
 * must list what the live run listed, in the order of its ids.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { SourceError } from '../core/errors.js'
import { type InstrumentDefinition, type Listing, listingSchema } from '../model/instrument.js'
import type { Registry } from '../model/registry.js'

const BYTES_MAX = 64 << 20
const schema = z.object({ format: z.literal(1), exchange: z.string(), instruments: z.array(listingSchema) })

const masterPath = (recording: string): string => `${recording}.instruments.json`

export function writeMaster(recording: string, exchange: string, definitions: readonly InstrumentDefinition[]): void {
  const instruments = definitions
    .toSorted((a, b) => a.id - b.id)
    .map(({ id, exchange, asset_class, supersedes, ...listing }): Listing => listing)
  const path = masterPath(recording)
  writeFileSync(`${path}.new`, `${JSON.stringify({ format: 1, exchange, instruments }, null, 1)}\n`)
  renameSync(`${path}.new`, path)
}

/** Lists what stands beside the recording, if anything does; answers how many. */
export async function listMaster(registry: Registry, exchange: string, recording: string): Promise<number> {
  const path = masterPath(recording)
  if (!existsSync(path)) return 0
  const text = readFileSync(path, 'utf8')
  if (text.length > BYTES_MAX) throw new SourceError(`${path} is too large`, { file: path })
  let master: z.output<typeof schema>
  try {
    master = schema.parse(JSON.parse(text))
  } catch (error) {
    throw new SourceError(`${path} does not list instruments: ${(error as Error).message}`, {
      file: path,
      fix: 'remove it to list them by name',
      cause: error,
    })
  }
  if (master.exchange !== exchange) return 0
  // One at a time: the order of the file is that of the ids.
  for (const listing of master.instruments) await registry.list(exchange, [listing])
  return master.instruments.length
}
