/** What a topics file must hold to beyond the shape of its fields: counts that belong together, names that must be declared. */
import { dataTypes } from './names.js'
import type { TopicDeclaration, TopicsFile } from './topics-file.js'

export interface TopicsProblem {
  readonly path: readonly string[]
  readonly message: string
}

export function* checkTopics(file: TopicsFile): Generator<TopicsProblem> {
  const { replication, min_isr: minIsr } = file.defaults
  const groups = { data_types: file.data_types, internal: file.internal, topics: file.topics }
  yield* checkReplicas(['defaults'], replication, minIsr)
  for (const [group, declared] of Object.entries(groups)) {
    for (const [name, d] of Object.entries(declared)) {
      if (d.replication !== undefined || d.min_isr !== undefined)
        yield* checkReplicas([group, name], d.replication ?? replication, d.min_isr ?? minIsr)
    }
  }
  for (const [name, declared] of Object.entries(file.topics)) {
    const problem = unknownTopic(file, name)
    if (problem !== undefined) yield { path: ['topics', name], message: problem }
    else yield* checkDedicated(file, name, declared)
  }
}

function* checkReplicas(path: readonly string[], replication: number, minIsr: number): Generator<TopicsProblem> {
  if (minIsr <= replication) return
  const message = `more replicas must be in sync than the ${replication} there are; fix: lower min_isr or raise replication`
  yield { path: [...path, 'min_isr'], message }
}

function unknownTopic(file: TopicsFile, name: string): string | undefined {
  const [market, assetClass = '', dataType = '', exchange = '', ...rest] = name.split('.')
  const form = 'market.{asset_class}.{data_type}.{exchange}'
  if (market !== 'market' || exchange === '' || rest.length > 0) return `is not a topic's name; valid: ${form}`
  const classes = Object.keys(file.asset_classes)
  if (!classes.includes(assetClass)) return `asset class ${assetClass} is not declared; valid: ${classes.join(', ')}`
  if (!(dataTypes as readonly string[]).includes(dataType))
    return `data type ${dataType} does not exist; valid: ${dataTypes.join(', ')}`
  const exchanges = Object.keys(exchangesOf(file, assetClass))
  if (!exchanges.includes(exchange)) return `exchange ${exchange} is not declared; valid: ${exchanges.join(', ')}`
  return undefined
}

const exchangesOf = (file: TopicsFile, assetClass: string) =>
  file.asset_classes[assetClass as keyof TopicsFile['asset_classes']]?.exchanges ?? {}

function* checkDedicated(file: TopicsFile, name: string, declared: TopicDeclaration): Generator<TopicsProblem> {
  const dedicated = Object.entries(declared.dedicated_partitions ?? {})
  if (dedicated.length === 0) return
  const [, assetClass = '', dataType = '', exchange = ''] = name.split('.')
  const count =
    declared.engine_partitions ??
    file.data_types[dataType as keyof TopicsFile['data_types']]?.engine_partitions ??
    exchangesOf(file, assetClass)[exchange]?.engine_partitions ??
    file.defaults.engine_partitions
  const path = ['topics', name, 'dedicated_partitions']
  const owners = new Map<number, string>()
  for (const [symbol, partition] of dedicated) {
    const owner = owners.get(partition)
    if (partition >= count)
      yield { path: [...path, symbol], message: `the topic has ${count} partitions; valid: 0 to ${count - 1}` }
    else if (owner !== undefined)
      yield { path: [...path, symbol], message: `partition ${partition} is ${owner}'s; fix: give each symbol its own` }
    owners.set(partition, symbol)
  }
  // The other symbols need a place too.
  if (owners.size >= count)
    yield {
      path,
      message: `all ${count} partitions are dedicated; fix: leave one for the other symbols, or raise engine_partitions`,
    }
}
