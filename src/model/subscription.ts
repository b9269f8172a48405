/** What a consumer subscribes to, by exchange, asset class or data type: names of declared topics, in order. */
import type { TopicFilter, TopicNameBuilder } from './topics.js'

/** Each throws TopicError with the valid values for a name that is not declared. */
export class SubscriptionBuilder {
  readonly #topics: TopicNameBuilder

  constructor(topics: TopicNameBuilder) {
    this.#topics = topics
  }

  /** All topics of one exchange; with an asset class only those of it, for an exchange that stands in two. */
  subscribeToExchange(exchange: string, options: { assetClass?: string; dataTypes?: readonly string[] } = {}): string[] {
    return this.#names({ exchanges: [exchange], ...options })
  }

  subscribeToAssetClass(assetClass: string, dataTypes?: readonly string[], exchanges?: readonly string[]): string[] {
    return this.#names({
      assetClass,
      ...(dataTypes === undefined ? {} : { dataTypes }),
      ...(exchanges === undefined ? {} : { exchanges }),
    })
  }

  subscribeToDataType(dataType: string): string[] {
    return this.#names({ dataTypes: [dataType] })
  }

  #names(filter: TopicFilter): string[] {
    return this.#topics.subscription(filter).map((t) => t.name)
  }
}
