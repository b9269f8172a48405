/**
 * Which id each subject's schema has: asked of the registry before a producer starts, kept in the data directory. With the registry
 * away the kept ids are used, warned about and counted, and the data path runs; an id belongs to one exact schema, so a kept one is
 * never wrong. Runs once at the start, on the event loop.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { SchemaRegistryAwayError } from '../../core/errors.js'
import type { Logger } from '../../core/logging.js'
import type { Metrics } from '../../core/metrics.js'
import type { SchemaRegistry } from './schemas-client.js'
import { applySchemas, type SchemaDeclaration } from './schemas-plan.js'

const cacheSchema = z.object({
  format: z.literal(1),
  registry: z.string(),
  ids: z.record(z.string(), z.object({ sha256: z.string(), id: z.int().min(0) })),
})
type Cache = z.output<typeof cacheSchema>

export interface SchemaIdsOptions {
  readonly registry: SchemaRegistry
  /** `schema-ids.json` of the data directory. */
  readonly file: string
  readonly logger: Logger
  readonly metrics: Metrics
}

const hashOf = (schema: string): string => createHash('sha256').update(schema).digest('hex')

/**
 * Ids by subject. Registers what is missing when it is BACKWARD compatible and throws SchemaRegistryError when it is not; throws
 * SchemaRegistryAwayError when the registry is away and a schema was never registered from here.
 */
export async function schemaIds(declared: readonly SchemaDeclaration[], options: SchemaIdsOptions): Promise<Map<string, number>> {
  try {
    const ids = await idsOf(declared, options.registry)
    writeCache(options.file, options.registry.url, declared, ids)
    return ids
  } catch (error) {
    if (!(error instanceof SchemaRegistryAwayError)) throw error
    return cachedIds(declared, options, error)
  }
}

async function idsOf(declared: readonly SchemaDeclaration[], registry: SchemaRegistry): Promise<Map<string, number>> {
  await applySchemas(registry, declared)
  const ids = new Map<string, number>()
  // The same schema again is no new version: its id comes back.
  for (const { subject, schema } of declared) ids.set(subject, await registry.register(subject, schema))
  return ids
}

function cachedIds(
  declared: readonly SchemaDeclaration[],
  options: SchemaIdsOptions,
  away: SchemaRegistryAwayError,
): Map<string, number> {
  const cache = readCache(options.file)
  const ids = new Map<string, number>()
  for (const { subject, schema } of declared) {
    const kept = cache?.registry === options.registry.url ? cache.ids[subject] : undefined
    if (kept?.sha256 !== hashOf(schema)) {
      throw new SchemaRegistryAwayError(`${away.message}; ${options.file} has no id for ${subject} as it is now`, {
        cause: away,
        file: options.file,
        field: subject,
        fix: 'start once while the registry answers: `tickwire schemas apply` registers, the first start keeps the ids',
      })
    }
    ids.set(subject, kept.id)
  }
  for (const subject of ids.keys()) options.metrics.add('tickwire_schema_ids_cached_total', { subject })
  options.logger.warn(
    { registry: options.registry.url, subjects: [...ids.keys()], error: away },
    'schema registry away: using kept ids',
  )
  return ids
}

/** Undefined: none, or none that can be read; the registry will be asked. */
function readCache(file: string): Cache | undefined {
  try {
    return cacheSchema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
  } catch {
    return undefined
  }
}

function writeCache(
  file: string,
  registry: string,
  declared: readonly SchemaDeclaration[],
  ids: ReadonlyMap<string, number>,
): void {
  const before = readCache(file)
  const cache: Cache = { format: 1, registry, ids: before?.registry === registry ? { ...before.ids } : {} }
  for (const { subject, schema } of declared) cache.ids[subject] = { sha256: hashOf(schema), id: ids.get(subject) ?? 0 }
  mkdirSync(dirname(file), { recursive: true })
  // A reader sees the old file or the new one, never half of it.
  const scratch = `${file}.${process.pid}.tmp`
  writeFileSync(scratch, `${JSON.stringify(cache, null, 1)}\n`)
  renameSync(scratch, file)
}
