/** What config/topics.yaml may say. */
import { z } from 'zod'
import { loadConfig } from '../core/config.js'
import { assetClasses, type DataType, dataTypes } from './names.js'
import { isSymbol } from './symbols.js'
import { TopicNameBuilder } from './topics.js'
import { checkTopics } from './topics-check.js'
import { retentionMs, segmentBytes, sizeBytes } from './units.js'

/** Codecs that brokers keep a topic in; producers compress with `kafka.compression`. */
const compressions = ['none', 'snappy', 'lz4', 'zstd'] as const
export type Compression = (typeof compressions)[number]

/** What a message of an open view is: JSON text, Avro with a registry's id, or the record's own bytes. */
const viewEncodings = ['json', 'avro', 'record'] as const
export type ViewEncoding = (typeof viewEncodings)[number]

const partitions = z.int().min(1).max(1_024)
const replicas = z.int().min(1).max(7)

const internalDeclaration = z.strictObject({
  retention: retentionMs.optional(),
  retention_bytes: sizeBytes.optional(),
  compaction: z.boolean().optional(),
  engine_partitions: partitions.optional(),
  segment: segmentBytes.optional(),
  compression: z.enum(compressions).optional(),
  replication: replicas.optional(),
  min_isr: replicas.optional(),
})
const typeDeclaration = internalDeclaration.extend({
  view: z.literal([true, false, ...viewEncodings]).optional(),
  view_partitions: partitions.optional(),
  schema: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, 'expected the name of a schema: [a-z0-9_]')
    .optional(),
})
const topicDeclaration = typeDeclaration.extend({
  dedicated_partitions: z
    .record(z.string().refine(isSymbol, 'expected 1 to 40 of A-Z 0-9 . & _ -'), z.int().min(0).max(1_023))
    .optional(),
})
const exchangeDeclaration = z.strictObject({
  name: z.string().min(1),
  partitions,
  engine_partitions: partitions.optional(),
  country: z.string().regex(/^[A-Z]{2}$/, 'expected a two-letter country code'),
  timezone: z.string().min(1),
})
const exchangeName = z.string().regex(/^[a-z0-9_]{1,32}$/, 'expected [a-z0-9_]')
const plainName = z.string().regex(/^[a-z0-9_.-]{1,128}$/, 'expected [a-z0-9_.-]')

const declarations = z.strictObject({
  defaults: z.strictObject({
    engine_partitions: partitions,
    segment: segmentBytes,
    compression: z.enum(compressions).default('snappy'),
    replication: replicas.default(3),
    min_isr: replicas.default(2),
  }),
  asset_classes: z.partialRecord(
    z.enum(assetClasses),
    z.strictObject({ exchanges: z.record(exchangeName, exchangeDeclaration) }),
  ),
  data_types: z.record(z.enum(dataTypes), typeDeclaration),
  internal: z.record(z.string().regex(/^(tickwire\.[a-z0-9_.{}-]+|\{topic\}\.dlq)$/), internalDeclaration),
  topics: z.record(z.string(), topicDeclaration).default({}),
  aliases: z.record(plainName, z.enum(dataTypes)).default({}),
  flat_topics: z.record(plainName, z.strictObject({ data_type: z.enum(dataTypes), partitions })).default({}),
})
/** The checks need the whole file; each names the field it is about. */
export const topicsSchema = declarations.superRefine((file, context) => {
  for (const { path, message } of checkTopics(file)) context.addIssue({ code: 'custom', path: [...path], message })
})
export type TopicsFile = z.output<typeof declarations>
export type TypeDeclaration = TopicsFile['data_types'][DataType]
export type TopicDeclaration = z.output<typeof topicDeclaration>
export type InternalDeclaration = z.output<typeof internalDeclaration>

export function loadTopics(file: string, text?: string): TopicNameBuilder {
  return new TopicNameBuilder(loadConfig({ schema: topicsSchema, file, ...(text === undefined ? {} : { text }) }), file)
}
