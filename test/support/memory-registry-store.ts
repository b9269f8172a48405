/** A registry store in memory, shared by several registries as the log is shared by processes. */
import type { Exchange } from '../../src/model/exchanges.js'
import type { RegistryStore } from '../../src/model/registry.js'

export class MemoryTopic {
  readonly messages = new Map<string, { key: string; value: Uint8Array }[]>()
  readonly tails = new Map<string, Promise<unknown>>()
  appends = 0

  /** A view of one process. */
  open(): RegistryStore {
    const positions = new Map<string, number>()
    return {
      read: async (exchange: Exchange) => {
        const all = this.messages.get(exchange.name) ?? []
        const from = positions.get(exchange.name) ?? 0
        positions.set(exchange.name, all.length)
        return all.slice(from)
      },
      append: async (exchange, messages) => {
        this.appends++
        this.messages.set(exchange.name, [...(this.messages.get(exchange.name) ?? []), ...messages])
      },
      exclusively: async (exchange, work) => {
        const done = (this.tails.get(exchange.name) ?? Promise.resolve()).then(work)
        this.tails.set(
          exchange.name,
          done.catch(() => undefined),
        )
        return done
      },
    }
  }

  /** What compaction leaves: the newest message of each key. */
  compact(exchange: string): void {
    const newest = new Map((this.messages.get(exchange) ?? []).map((m) => [m.key, m]))
    this.messages.set(exchange, [...newest.values()])
  }
}
