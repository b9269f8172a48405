/** One real broker for one test file, with the settings that the project ships. `sharedBroker` of shared.ts is cheaper where it will do. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deleteAtExit } from './daemon.js'
import { KafkaNode } from './node.js'
import { freePorts } from './ports.js'
import { deployedProperties, type Properties } from './properties.js'
import { type SecureAccess, secureListeners } from './security.js'

export interface BrokerOptions {
  /** Over the shipped ones. */
  readonly properties?: Properties
  /** Also a SASL_SSL listener with SCRAM-SHA-512 and one with client certificates; see `Broker.secure`. */
  readonly secureListeners?: boolean
  readonly jvm?: readonly string[]
}

export interface Broker {
  /** The listener without a password. */
  readonly bootstrap: string
  readonly logDirectory: string
  readonly pid: number
  /** Addresses, certificates and a user, with `secureListeners`. */
  readonly secure: SecureAccess | undefined
  readonly node: KafkaNode
  /** Sends a signal; for SIGKILL resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Ends it gracefully when it runs; the same port, the same data. */
  restart(): Promise<void>
  /** Ends it and deletes its directory. */
  stop(): Promise<void>
}

export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-kafka-'))
  const deletion = deleteAtExit(directory)
  const [port = 0, controllerPort = 0, saslPort = 0, tlsPort = 0] = await freePorts(4)
  const security = options.secureListeners === true ? await secureListeners(directory, saslPort, tlsPort) : undefined
  const listeners = [`PLAINTEXT://127.0.0.1:${port}`, `CONTROLLER://127.0.0.1:${controllerPort}`, ...(security?.listeners ?? [])]
  const node = await KafkaNode.create({
    id: 1,
    port,
    directory,
    format: ['--standalone', ...(security?.format ?? [])],
    properties: {
      ...deployedProperties('broker'),
      ...deployedProperties('single'),
      'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
      listeners: listeners.join(','),
      ...security?.properties,
      ...options.properties,
    },
    ...(options.jvm === undefined ? {} : { jvm: options.jvm }),
  })
  await node.start()
  return {
    bootstrap: node.address,
    logDirectory: node.logDirectory,
    get pid() {
      return node.pid
    },
    secure: security?.access,
    node,
    kill: async (signal = 'SIGKILL') => (signal === 'SIGKILL' ? node.kill() : node.signal(signal)),
    restart: () => node.restart(),
    stop: async () => {
      await node.kill()
      deletion.now()
    },
  }
}
