/**
 * A real schema registry with the Confluent API, in memory or with its journal in Kafka. After a restart it answers before it has read its
 * journal, with nothing in it: ready means that a schema known to be there can be fetched.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Daemon } from './daemon.js'
import { serverDirectory } from './directories.js'
import { registryHome } from './dist.js'
import { freePorts } from './ports.js'

const START_MS_MAX = 90_000
/** The schema that tells when the journal is read; `GET /subjects` shows it beside a test's own. */
export const READY_SUBJECT = 'tickwire-ready'

export interface Registry {
  /** The Confluent base address: `{url}/subjects`. */
  readonly url: string
  readonly pid: number
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Ends it when it runs. The same port; the same schemas if they are in Kafka. */
  restart(): Promise<void>
  /** Ends it and deletes its directory; what is in Kafka stays there. */
  stop(): Promise<void>
}

async function registers(url: string): Promise<boolean> {
  const response = await fetch(`${url}/subjects/${READY_SUBJECT}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: '"string"' }),
  }).catch(() => undefined)
  return response?.ok === true
}

const holds = async (url: string): Promise<boolean> =>
  (await fetch(`${url}/subjects/${READY_SUBJECT}/versions/1`).catch(() => undefined))?.ok === true

export async function startRegistry(bootstrap?: string): Promise<Registry> {
  const home = await registryHome()
  const directory = serverDirectory('registry')
  const [port = 0, managementPort = 0] = await freePorts(2)
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  const settings: Record<string, string> = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': String(port),
    // By default the management port is open to the world.
    'quarkus.management.host': '127.0.0.1',
    'quarkus.management.port': String(managementPort),
    // Confluent's default; this registry's own is NONE.
    'apicurio.rules.global.compatibility': 'BACKWARD',
  }
  if (bootstrap !== undefined) {
    settings['apicurio.storage.kind'] = 'kafkasql'
    settings['apicurio.kafkasql.bootstrap.servers'] = bootstrap
    // It waits for two empty polls; the default poll takes five seconds.
    settings['apicurio.kafkasql.consumer.poll.timeout'] = '200'
  }
  const start = (): Daemon =>
    new Daemon({
      name: 'schema registry',
      program: join(home, readFileSync(join(home, 'java'), 'utf8').trim()),
      args: [
        ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
        ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
        '-jar',
        join(home, 'app', 'quarkus-run.jar'),
      ],
      logFile: join(directory.path, 'registry.log'),
      cwd: directory.path,
    })
  let daemon = start()
  const stop = async (): Promise<void> => {
    await daemon.kill()
    directory.delete()
  }
  try {
    await daemon.ready('a first schema to be registered', async () => (await registers(url)) && (await holds(url)), START_MS_MAX)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url,
    get pid() {
      return daemon.pid
    },
    kill: async (signal = 'SIGKILL') => (signal === 'SIGKILL' ? daemon.kill() : daemon.signal(signal)),
    restart: async () => {
      await daemon.drain()
      daemon = start()
      const isReady = bootstrap === undefined ? registers : holds
      await daemon.ready('the schemas it had', () => isReady(url), START_MS_MAX)
    },
    stop,
  }
}
