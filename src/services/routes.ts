/** Which topics a feed writes: made in the log, and given to the batcher. */
import type { Exchange } from '../model/exchanges.js'
import type { TopicConfig } from '../model/topics.js'
import type { FeedDataType, NativeBatcher } from '../native/feed.js'
import type { Runtime } from './runtime.js'

/** Data types of the records that a feed with these channels makes; its gaps have a topic of their own. */
export function feedDataTypes(feed: {
  readonly channels: readonly string[]
  readonly depth_levels?: number
  readonly book_levels?: boolean
  readonly sampled?: boolean
}): FeedDataType[] {
  const types: FeedDataType[] = []
  if (feed.channels.includes('trades')) types.push('trades')
  if (feed.channels.includes('quotes')) types.push('quotes')
  if (feed.sampled === true) types.push('tickers')
  if ((feed.depth_levels ?? 0) > 0) types.push('depth')
  if (feed.book_levels === true) types.push('book')
  if (feed.channels.includes('bars')) types.push('ohlcv')
  return types
}

/** Makes the topics of an exchange's data types, gaps included, and routes them. Answers the topics, without the gaps. */
export async function routeExchange(
  runtime: Runtime,
  batcher: NativeBatcher,
  exchange: Exchange,
  dataTypes: readonly FeedDataType[],
): Promise<TopicConfig[]> {
  const configs = dataTypes.map((type) => runtime.topics.getTopicConfig(exchange.assetClass, type, exchange.name))
  const gaps = runtime.topics.getTopicConfig(exchange.assetClass, 'gaps', exchange.name)
  await runtime.ensureTopics([...configs, gaps], runtime.local)
  for (const [i, type] of dataTypes.entries()) {
    const { name, dedicatedPartitions } = configs[i] as TopicConfig
    batcher.addRoute(exchange.number, type, name, Object.fromEntries(dedicatedPartitions))
  }
  batcher.addRoute(exchange.number, 'gaps', gaps.name)
  return configs
}
