/** The broker and the registry that all test files of a run share. Each test takes names of its own and leaves the servers running. */
import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'

async function ask(what: 'broker' | 'registry'): Promise<string> {
  const response = await fetch(`${inject('sharedKafka')}/${what}`)
  const text = await response.text()
  if (!response.ok) throw new Error(`the shared ${what} did not start: ${text}`)
  return text
}

/** The bootstrap address. The first call of a run waits for the start, about two seconds. */
export const sharedBroker = (): Promise<string> => ask('broker')

/** The registry's Confluent base address; its journal is on the shared broker. The first call waits about eight seconds. */
export const sharedRegistry = (): Promise<string> => ask('registry')

/** A name for a topic, group or subject that no other test has. */
export const uniqueName = (prefix: string): string => `${prefix}-${randomBytes(4).toString('hex')}`
