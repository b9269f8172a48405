/**
 * Where a message of a flat topic belongs, and where one of a new topic belongs on the way back. Pure. What a mover wrote carries
 * where it came from, so that a move can be repeated, checked and turned round without writing anything twice.
 */
import { isSymbol } from '../../model/symbols.js'
import type { FlatTopic, TopicConfig, TopicNameBuilder } from '../../model/topics.js'

/** Header of what a mover wrote: `{topic}/{partition}/{offset}` of the original. */
export const ORIGIN_HEADER = 'tickwire-origin'
/** Header of a dead letter of a move. */
export const REASON_HEADER = 'tickwire-reason'

export type Routed =
  | { readonly topic: string; readonly key: string; readonly value: Buffer }
  | { readonly reason: 'not_json' | 'no_symbol' | 'no_exchange' | 'unknown_exchange' | 'ambiguous_exchange' }

export type Route = (topic: string, value: Buffer) => Routed

function objectOf(value: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(value.toString('utf8'))
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** The topics that a flat topic's messages may go to. */
export const targetsOf = (flat: FlatTopic, names: TopicNameBuilder): TopicConfig[] =>
  names.subscription({ dataTypes: [flat.dataType] })

/** By `exchange`, and by `asset_class` where an exchange stands in two; the value stays as it is. */
export function forwardRoute(flat: FlatTopic, names: TopicNameBuilder): Route {
  const targets = byExchange(targetsOf(flat, names))
  return (_topic, value) => {
    const message = objectOf(value)
    if (message === undefined) return { reason: 'not_json' }
    const { symbol, exchange, asset_class: assetClass } = message
    if (typeof symbol !== 'string' || !isSymbol(symbol)) return { reason: 'no_symbol' }
    if (typeof exchange !== 'string') return { reason: 'no_exchange' }
    const found = targets.get(exchange.toLowerCase()) ?? []
    const named = assetClass === undefined ? found : found.filter((t) => t.assetClass === assetClass)
    const [target, ...others] = named
    if (target === undefined) return { reason: 'unknown_exchange' }
    if (others.length > 0) return { reason: 'ambiguous_exchange' }
    return { topic: target.name, key: symbol, value }
  }
}

/** To the flat topic, with the exchange that its readers look for. */
export function backRoute(flat: FlatTopic, names: TopicNameBuilder): Route {
  return (topic, value) => {
    const message = objectOf(value)
    if (message === undefined) return { reason: 'not_json' }
    const { symbol } = message
    if (typeof symbol !== 'string' || !isSymbol(symbol)) return { reason: 'no_symbol' }
    const exchange = names.find(topic)?.exchange
    if (exchange === undefined) return { reason: 'unknown_exchange' }
    if (message.exchange !== undefined) return { topic: flat.name, key: symbol, value }
    return { topic: flat.name, key: symbol, value: Buffer.from(JSON.stringify({ ...message, exchange })) }
  }
}

function byExchange(topics: readonly TopicConfig[]): Map<string, TopicConfig[]> {
  const found = new Map<string, TopicConfig[]>()
  for (const topic of topics) {
    const exchange = topic.exchange ?? ''
    found.set(exchange, [...(found.get(exchange) ?? []), topic])
  }
  return found
}

export const originText = (topic: string, partition: number, offset: number): string => `${topic}/${partition}/${offset}`

export function originOf(text: string | undefined): { topic: string; partition: number; offset: number } | undefined {
  const match = /^([a-z0-9_.-]+)\/(\d{1,6})\/(\d{1,15})$/.exec(text ?? '')
  return match === null ? undefined : { topic: match[1] ?? '', partition: Number(match[2]), offset: Number(match[3]) }
}
