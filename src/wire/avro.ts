/**
 * The Avro schemas of the records, as generated into config/schema/avro. Reads those files; tools and producers ask for them once,
 * at the start. Browsers do not: this file stands outside the folder's index.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SchemaRegistryError } from '../core/errors.js'
import { packageRoot } from '../native/addon.js'

const folder = join(packageRoot, 'config', 'schema', 'avro')

/** By the names that `schema` of config/topics.yaml uses. */
export const avroSchemaNames = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.avsc'))
    .map((file) => file.slice(0, -'.avsc'.length))
    .toSorted()

/** The schema's text without white space: what a registry gets. */
export function avroSchemaText(name: string): string {
  const valid = avroSchemaNames()
  if (!valid.includes(name))
    throw new SchemaRegistryError(`there is no Avro schema ${JSON.stringify(name.slice(0, 80))}; valid: ${valid.join(', ')}`, {
      field: 'schema',
      validValues: valid,
      fix: 'name one of them in topics.yaml',
    })
  return JSON.stringify(JSON.parse(readFileSync(join(folder, `${name}.avsc`), 'utf8')))
}
