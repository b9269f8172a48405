/** The id that ties together everything one piece of work caused, carried along asynchronous calls. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'

const storage = new AsyncLocalStorage<string>()

export const correlationId = (): string | undefined => storage.getStore()

/** Runs the work under a correlation id: the one given (1 to 128 visible characters), else a new one. */
export function withCorrelation<T>(id: string | undefined, work: () => T): T {
  const usable = id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id)
  return storage.run(usable ? id : randomUUID(), work)
}
