/** One real broker for one test file, with the settings that the project ships. `sharedBroker` of shared.ts is cheaper where it will do. */
import { serverDirectory } from './directories.js'
import { FaultProxy } from './fault-proxy.js'
import { type Listener, listenerProperties } from './listeners.js'
import { KafkaNode } from './node.js'
import { freePorts } from './ports.js'
import { deployedProperties, type Properties } from './properties.js'
import { type SecureAccess, secureListeners } from './security.js'

export interface BrokerOptions {
  /** Over the shipped ones. */
  readonly properties?: Properties
  /** Also a SASL_SSL listener with SCRAM-SHA-512 and one with client certificates; see `Broker.secure`. */
  readonly secureListeners?: boolean
  /** Also a listener behind a network that can be broken; see `Broker.proxied`. */
  readonly faultProxy?: boolean
  readonly jvm?: readonly string[]
}

export interface Broker {
  /** The listener without a password. */
  readonly bootstrap: string
  readonly logDirectory: string
  readonly pid: number
  /** Addresses, certificates and a user, with `secureListeners`. */
  readonly secure: SecureAccess | undefined
  /** With `faultProxy`: clients that start from its address meet the broker only through it. */
  readonly proxied: { readonly bootstrap: string; readonly network: FaultProxy } | undefined
  readonly node: KafkaNode
  /** Sends a signal; for SIGKILL resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Ends it gracefully when it runs; the same port, the same data. */
  restart(): Promise<void>
  /** Ends it and deletes its directory. */
  stop(): Promise<void>
}

export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const directory = serverDirectory('broker')
  const [port = 0, controllerPort = 0, saslPort = 0, tlsPort = 0, behindPort = 0, proxyPort = 0] = await freePorts(6)
  const security = options.secureListeners === true ? await secureListeners(directory.path, saslPort, tlsPort) : undefined
  const network = options.faultProxy === true ? await FaultProxy.start(proxyPort, behindPort) : undefined
  const listeners: Listener[] = [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', port }, ...(security?.listeners ?? [])]
  if (network !== undefined)
    listeners.push({ name: 'PROXIED', protocol: 'PLAINTEXT', port: behindPort, advertisedPort: proxyPort })
  const node = new KafkaNode({
    id: 1,
    port,
    directory: directory.path,
    format: ['--standalone', ...(security?.format ?? [])],
    properties: {
      ...deployedProperties('broker'),
      ...deployedProperties('single'),
      'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
      ...listenerProperties(listeners, controllerPort),
      ...security?.properties,
      ...options.properties,
    },
    ...(options.jvm === undefined ? {} : { jvm: options.jvm }),
  })
  const stop = async (): Promise<void> => {
    await node.kill()
    await network?.stop()
    directory.delete()
  }
  try {
    await node.start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    bootstrap: node.address,
    logDirectory: node.logDirectory,
    get pid() {
      return node.pid
    },
    secure: security?.access,
    proxied: network === undefined ? undefined : { bootstrap: `127.0.0.1:${proxyPort}`, network },
    node,
    kill: async (signal = 'SIGKILL') => (signal === 'SIGKILL' ? node.kill() : node.signal(signal)),
    restart: () => node.restart(),
    stop,
  }
}
