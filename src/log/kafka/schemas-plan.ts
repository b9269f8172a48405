/** What a registry lacks of the declared schemas: levels to set, schemas to register, and what it would refuse. Reads; touches nothing. */
import { SchemaRegistryError, TopicError } from '../../core/errors.js'
import type { TopicConfig } from '../../model/topics.js'
import { avroSchemaNames, avroSchemaText } from '../../wire/avro.js'
import { keepsReaders, type SchemaRegistry } from './schemas-client.js'

export interface SchemaDeclaration {
  readonly subject: string
  readonly schemaName: string
  readonly schema: string
}

export type SchemaChange =
  | { readonly kind: 'level'; readonly subject: string; readonly from: string; readonly to: 'BACKWARD' }
  | { readonly kind: 'register'; readonly subject: string; readonly schemaName: string; readonly after: number | undefined }
  | { readonly kind: 'incompatible'; readonly subject: string; readonly schemaName: string; readonly messages: readonly string[] }

/** One per subject. Data types whose records have no Avro schema are left out, unless a view asks for one. */
export function declaredSchemas(topics: readonly TopicConfig[], source: string): SchemaDeclaration[] {
  const known = new Set(avroSchemaNames())
  const declared = new Map<string, SchemaDeclaration>()
  for (const { name, schemaSubject: subject, schemaName, view, viewEncoding } of topics) {
    if (subject === undefined || schemaName === undefined || !known.has(schemaName)) {
      if (!view || viewEncoding !== 'avro') continue
      throw new TopicError(
        `${source}: topics.${name}: its view is avro, and there is no Avro schema ${schemaName ?? '(none named)'}`,
        {
          file: source,
          field: `topics.${name}.schema`,
          validValues: [...known],
          fix: 'name one of the valid schemas, or make the view json',
        },
      )
    }
    const before = declared.get(subject)
    if (before !== undefined && before.schemaName !== schemaName) {
      throw new TopicError(`${source}: topics.${name}.schema: ${subject} has ${before.schemaName} and ${schemaName}`, {
        file: source,
        field: `topics.${name}.schema`,
        validValues: [before.schemaName],
        fix: 'exchanges of one asset class share the schema of a data type',
      })
    }
    if (before === undefined) declared.set(subject, { subject, schemaName, schema: avroSchemaText(schemaName) })
  }
  return [...declared.values()].toSorted((a, b) => (a.subject < b.subject ? -1 : 1))
}

export async function planSchemas(registry: SchemaRegistry, declared: readonly SchemaDeclaration[]): Promise<SchemaChange[]> {
  const changes = await Promise.all(declared.map((d) => planSubject(registry, d)))
  return changes.flat()
}

async function planSubject(registry: SchemaRegistry, declared: SchemaDeclaration): Promise<SchemaChange[]> {
  const { subject, schemaName, schema } = declared
  const [level, held, latest] = await Promise.all([
    registry.compatibility(subject),
    registry.lookUp(subject, schema),
    registry.version(subject),
  ])
  const changes: SchemaChange[] = keepsReaders(level) ? [] : [{ kind: 'level', subject, from: level, to: 'BACKWARD' }]
  if (held !== undefined) return changes
  // A registry judges by the subject's level: one that takes anything is asked again once the level is set.
  const { compatible, messages } = await registry.isCompatible(subject, schema)
  if (!compatible) return [...changes, { kind: 'incompatible', subject, schemaName, messages }]
  return [...changes, { kind: 'register', subject, schemaName, after: latest?.version }]
}

/** Throws with the first schema that cannot be registered: before anything is changed. */
export function refuseIncompatible(changes: readonly SchemaChange[]): void {
  const found = changes.find((c) => c.kind === 'incompatible')
  if (found === undefined) return
  const messages = found.messages.length > 0 ? `: ${found.messages.join('; ').slice(0, 600)}` : ''
  throw new SchemaRegistryError(
    `${found.subject}: the schema ${found.schemaName} cannot read what the newest version wrote${messages}`,
    {
      field: found.subject,
      fix: 'new fields need defaults, and fields without a default stay (docs/reference/avro.md)',
    },
  )
}

/** Levels first, so that the registry judges each schema by the rule before it takes it. Answers how many were registered. */
export async function applySchemas(registry: SchemaRegistry, declared: readonly SchemaDeclaration[]): Promise<number> {
  const before = await planSchemas(registry, declared)
  refuseIncompatible(before)
  for (const change of before) if (change.kind === 'level') await registry.setCompatibility(change.subject, change.to)
  const changes = before.some((c) => c.kind === 'level') ? await planSchemas(registry, declared) : before
  refuseIncompatible(changes)
  let count = 0
  for (const change of changes) {
    const of = declared.find((d) => d.subject === change.subject)
    if (change.kind !== 'register' || of === undefined) continue
    await registry.register(of.subject, of.schema)
    count++
  }
  return count
}
