/** Records of a log as objects: names and aliases of topics, symbols, exact times, unknown instruments looked up once. */
import { UsageError } from '../core/errors.js'
import type { Batch, Place, ReadOptions, Topic } from '../log/index.js'
import { type DecodedRecord, decodeRecord } from '../wire/index.js'
import type { Runtime } from './runtime.js'

export type ReadRecordsOptions = ReadOptions

export const timeOfPlace = (place: Place | undefined): bigint | undefined =>
  typeof place === 'object' && 'time' in place ? place.time : undefined

/** The topics of the log that are ours: a cluster holds anybody's. */
export async function ownTopics({ log, kafka, topics }: Runtime): Promise<Topic[]> {
  const held = await log.topics()
  return kafka === undefined ? held : held.filter(({ name }) => topics.find(name) !== undefined)
}

/** What the record hash of a whole log is made of; undefined: all of it. Gap topics repeat what stands beside the records. */
export async function hashedTopics(runtime: Runtime): Promise<string[] | undefined> {
  if (runtime.kafka === undefined) return undefined
  const own = (await ownTopics(runtime)).map(({ name }) => name)
  return own.filter((name) => runtime.topics.find(name)?.dataType !== 'gaps')
}

/** The topics of the log that full names, aliases or names with `*` stand for. */
export async function heldTopics(runtime: Runtime, names: readonly string[]): Promise<string[]> {
  const held = new Set((await runtime.log.topics()).map((t) => t.name))
  const wanted = names.flatMap((name) => (held.has(name) ? [name] : runtime.topics.resolve(name).map((t) => t.name)))
  const found = [...new Set(wanted)].filter((name) => held.has(name))
  if (found.length > 0) return found
  throw new UsageError(`${runtime.kafka?.place ?? runtime.directory} holds nothing of ${names.join(', ')}`, {
    field: 'topic',
    validValues: [...held].toSorted(),
    fix: 'use one of these',
  })
}

/** Reads the registry of the topics' exchanges to its end. */
export async function refreshRegistry(runtime: Runtime, topics: readonly string[]): Promise<void> {
  await runtime.registry.refresh([...new Set(topics.flatMap((name) => runtime.topics.find(name)?.exchange ?? []))])
}

/** One batch as objects; those of an opaque message stand under `value`. */
export async function decodeBatch(runtime: Runtime, batch: Batch): Promise<DecodedRecord[]> {
  const { topic, partition, offset } = batch
  const view = batch.view()
  if (view === undefined) return [{ topic, partition, offset, type: batch.kind, key: batch.key, value: opaqueText(batch.value) }]
  const out: DecodedRecord[] = []
  // Told by the engine: a message of one record looks the same on both.
  const isPerRecord = runtime.kafka === undefined
  for (const index of batch.selected ?? Array.from({ length: view.count }, (_, i) => i)) {
    let record = decodeRecord(view, index, (id) => runtime.scaleOf(id))
    // An unknown instrument may have been listed since: the registry is read to its end before it is shown raw.
    if (
      record.raw === true &&
      typeof record.instrument_id === 'number' &&
      (await runtime.registry.resolve(record.instrument_id)) !== undefined
    ) {
      record = decodeRecord(view, index, (id) => runtime.scaleOf(id))
    }
    // One offset per record, or one per message and the index in it: as the log counts.
    out.push({ topic, partition, ...(isPerRecord ? { offset: offset + index } : { offset, index }), ...record })
  }
  return out
}

function opaqueText(value: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value.slice())
  } catch {
    return `base64:${Buffer.from(value).toString('base64')}`
  }
}

/** Batches of the topics. Times are exact to the message. */
export async function* readBatches(runtime: Runtime, options: ReadRecordsOptions): AsyncGenerator<Batch, void, undefined> {
  const topics = await heldTopics(runtime, options.topics)
  await refreshRegistry(runtime, topics)
  const { to, ...rest } = options
  // The message that holds the time is still wanted: the log's own stop lies before it.
  yield* runtime.log.read({ ...rest, topics, ...(to === undefined || timeOfPlace(to) !== undefined ? {} : { to }) })
}

/** Records of the topics. Times are exact to the record. */
export async function* readRecords(
  runtime: Runtime,
  options: ReadRecordsOptions,
): AsyncGenerator<DecodedRecord, void, undefined> {
  const [from, to] = [timeOfPlace(options.from), timeOfPlace(options.to)]
  for await (const batch of readBatches(runtime, options)) {
    for (const record of await decodeBatch(runtime, batch)) {
      const tsRecv = typeof record.ts_recv === 'string' ? BigInt(record.ts_recv) : undefined
      if (tsRecv !== undefined && ((from !== undefined && tsRecv < from) || (to !== undefined && tsRecv >= to))) continue
      yield record
    }
  }
}
