/**
 * Runs once in vitest's own process: one broker and one registry for all test files, started when the first asks, ended with the run.
 * A run that asks for neither starts neither. Files ask over loopback because each runs in a process of its own.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { type Broker, startBroker } from './broker.js'
import { type Registry, startRegistry } from './registry.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where to ask for the shared servers. */
    sharedKafka: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let broker: Promise<Broker> | undefined
  let registry: Promise<Registry> | undefined
  const theBroker = (): Promise<Broker> => {
    broker ??= startBroker()
    return broker
  }
  const theRegistry = (): Promise<Registry> => {
    registry ??= theBroker().then((each) => startRegistry(each.bootstrap))
    return registry
  }
  const address = async (what: string | undefined): Promise<string> =>
    what === '/registry' ? (await theRegistry()).url : (await theBroker()).bootstrap
  const server = createServer((request, response) => {
    address(request.url).then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  project.provide('sharedKafka', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return async () => {
    server.close()
    // One that failed to start has told so where it was asked for.
    await registry?.then((each) => each.stop()).catch(() => undefined)
    await broker?.then((each) => each.stop()).catch(() => undefined)
  }
}
