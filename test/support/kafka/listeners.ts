/** A node's listeners as Kafka wants them told: where they are, what clients are told, what is spoken. */
import type { Properties } from './properties.js'

export interface Listener {
  readonly name: string
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_SSL'
  readonly port: number
  /** What clients are told to connect to, where that is another port: a proxy's. */
  readonly advertisedPort?: number
}

export function listenerProperties(listeners: readonly Listener[], controllerPort: number): Properties {
  const controller: Listener = { name: 'CONTROLLER', protocol: 'PLAINTEXT', port: controllerPort }
  const all = [...listeners, controller]
  return {
    listeners: all.map(({ name, port }) => `${name}://127.0.0.1:${port}`).join(','),
    'advertised.listeners': listeners
      .map(({ name, port, advertisedPort }) => `${name}://127.0.0.1:${advertisedPort ?? port}`)
      .join(','),
    'listener.security.protocol.map': all.map(({ name, protocol }) => `${name}:${protocol}`).join(','),
  }
}
