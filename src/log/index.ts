/**
 * The log: the only way the stages meet. `openLog` gives the embedded engine, a directory that any process on the machine
 * may append to and follow; `openKafkaLog` gives the same on a Kafka cluster.
 * Reads and writes that directory, or topics of that cluster. Appends run on the calling thread (microseconds) or, with durability `batch`, on one
 * of their own, as appends to Kafka do; each reader and consumer has one native thread that copies messages into a slab.
 * When the next stage is slow its cells of the slab stay taken and the native thread stops reading: nothing is dropped, the
 * lag grows, and retention decides. Refusals of an append are values (`status`).
 */
import { EmbeddedLog } from './embedded.js'
import { KafkaLog, type OpenKafkaLogOptions } from './kafka/log.js'
import type { Log, OpenLogOptions } from './types.js'

export { batchOf as batchOfLetter } from './dead-letter.js'
export { MessageBurier } from './dead-letter-messages.js'
export { type DeadLetterEntry, readDeadLetters, readLetter, requestRedrive } from './dead-letters.js'
export { Dedup } from './dedup.js'
export { placeOfEvent } from './event-place.js'
export { type KafkaSettings, kafkaProperties } from './kafka/connection.js'
export type { KafkaLog } from './kafka/log.js'
export { registryAddress } from './kafka/schemas-address.js'
export { SchemaRegistry } from './kafka/schemas-client.js'
export { schemaIds } from './kafka/schemas-ids.js'
export { declaredSchemas } from './kafka/schemas-plan.js'
export { createMissing } from './kafka/topics-apply.js'
export { engineTopic, viewTopicOf } from './kafka/topics-declared.js'
export { type ExchangeLag, exchangeOf, lagByExchange, membersWanted } from './lag.js'
export { deadLetterTopic, stateTopic } from './options.js'
export type * from './types.js'

export const openLocalLog = (options: OpenLogOptions): Log => new EmbeddedLog(options)

export async function openLog(options: OpenLogOptions): Promise<Log> {
  return openLocalLog(options)
}

/** Throws KafkaUnavailableError without the addon, KafkaAuthError or KafkaError when the brokers cannot be used. */
export const openKafkaLog = (options: OpenKafkaLogOptions): Promise<KafkaLog> => KafkaLog.open(options)
