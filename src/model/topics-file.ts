/** What config/topics.yaml may say. */
import { z } from 'zod'
import { loadConfig } from '../core/config.js'
import { assetClasses, type DataType, dataTypes } from './names.js'
import { TopicNameBuilder } from './topics.js'
import { retentionMs, segmentBytes, sizeBytes } from './units.js'

const partitions = z.int().min(1).max(1_024)

const internalDeclaration = z.strictObject({
  retention: retentionMs.optional(),
  retention_bytes: sizeBytes.optional(),
  compaction: z.boolean().optional(),
  engine_partitions: partitions.optional(),
  segment: segmentBytes.optional(),
})
const typeDeclaration = internalDeclaration.extend({
  view: z.boolean().optional(),
  view_partitions: partitions.optional(),
  schema: z.string().optional(),
})
const exchangeDeclaration = z.strictObject({
  name: z.string().min(1),
  partitions,
  engine_partitions: partitions.optional(),
  country: z.string().regex(/^[A-Z]{2}$/, 'expected a two-letter country code'),
  timezone: z.string().min(1),
})
const exchangeName = z.string().regex(/^[a-z0-9_]{1,32}$/, 'expected [a-z0-9_]')

export const topicsSchema = z.strictObject({
  defaults: z.strictObject({ engine_partitions: partitions, segment: segmentBytes }),
  asset_classes: z.partialRecord(
    z.enum(assetClasses),
    z.strictObject({ exchanges: z.record(exchangeName, exchangeDeclaration) }),
  ),
  data_types: z.record(z.enum(dataTypes), typeDeclaration),
  internal: z.record(z.string().regex(/^(tickwire\.[a-z0-9_.{}-]+|\{topic\}\.dlq)$/), internalDeclaration),
  topics: z.record(z.string(), typeDeclaration).default({}),
  aliases: z.record(z.string().regex(/^[a-z0-9_.-]{1,128}$/), z.enum(dataTypes)).default({}),
})
export type TopicsFile = z.output<typeof topicsSchema>
export type TypeDeclaration = TopicsFile['data_types'][DataType]
export type InternalDeclaration = z.output<typeof internalDeclaration>

export function loadTopics(file: string, text?: string): TopicNameBuilder {
  return new TopicNameBuilder(loadConfig({ schema: topicsSchema, file, ...(text === undefined ? {} : { text }) }))
}
