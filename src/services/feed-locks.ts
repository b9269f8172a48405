/**
 * One process at a time runs a feed of a data directory. Two would open two sessions of one source, and readers would drop what
 * the older one goes on to append. The lock is a file's: the kernel frees it when the process dies.
 */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { EnvironmentError } from '../core/errors.js'
import { tryLockFile } from '../native/lock.js'
import type { Component } from './component.js'
import type { FeedSessionKey } from './feed-session.js'

/** Stands before the batcher, so that what the feeds gave is in the log before the next process may take them. */
export class FeedLocksComponent implements Component {
  readonly name = 'feed-locks'
  readonly #directory: string
  readonly #keys: readonly FeedSessionKey[]
  #held: number[] = []

  constructor(directory: string, keys: readonly FeedSessionKey[]) {
    this.#directory = directory
    this.#keys = keys
  }

  async start(): Promise<void> {
    for (const { exchange, source, shard } of this.#keys) {
      const fd = openSync(join(this.#directory, `.feed-${exchange}-${source}-${shard}.lock`), 'a')
      this.#held.push(fd)
      if (tryLockFile(fd)) continue
      throw new EnvironmentError(
        `another process runs the feed ${exchange} (source ${source}, instance ${shard + 1}) on ${this.#directory}`,
        {
          field: 'ingestion.feeds',
          fix: 'stop it, use another data directory, another `source`, or INSTANCE_ID and TOTAL_INSTANCES to share the symbols',
        },
      )
    }
  }

  async stop(): Promise<void> {
    for (const fd of this.#held.splice(0)) closeSync(fd)
  }
}
