/**
 * Listeners with TLS for one broker: SASL_SSL with SCRAM-SHA-512, and MTLS, which asks for a client certificate. Keys and certificates are
 * made by openssl for the test and are worth nothing elsewhere.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Listener } from './listeners.js'
import type { Properties } from './properties.js'

export interface Certificate {
  readonly certificate: string
  readonly key: string
}

export interface SecureAccess {
  readonly saslBootstrap: string
  readonly mtlsBootstrap: string
  readonly user: string
  readonly password: string
  /** Files, all PEM. */
  readonly ca: string
  readonly client: Certificate
  /** Signed by an authority that the broker does not know. */
  readonly stranger: Certificate
  /** That authority: a client that trusts only it must refuse the broker. */
  readonly strangerCa: string
}

export interface SecureListeners {
  readonly listeners: readonly Listener[]
  readonly properties: Properties
  readonly format: readonly string[]
  readonly access: SecureAccess
}

const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)('openssl', args)
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']

async function authority(directory: string, name: string): Promise<Certificate> {
  const made = { certificate: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) }
  await openssl('req', '-x509', ...EC, '-subj', `/CN=${name}`, '-keyout', made.key, '-out', made.certificate)
  return made
}

async function signed(directory: string, name: string, by: Certificate, extension: string): Promise<Certificate> {
  const file = (ending: string): string => join(directory, `${name}.${ending}`)
  writeFileSync(file('ext'), extension)
  await openssl('req', ...EC, '-subj', `/CN=${name}`, '-keyout', file('key'), '-out', file('csr'))
  const from = ['-in', file('csr'), '-CA', by.certificate, '-CAkey', by.key, '-CAcreateserial', '-days', '2']
  await openssl('x509', '-req', ...from, '-extfile', file('ext'), '-out', file('pem'))
  return { certificate: file('pem'), key: file('key') }
}

export async function secureListeners(parent: string, saslPort: number, mtlsPort: number): Promise<SecureListeners> {
  const directory = join(parent, 'tls')
  mkdirSync(directory)
  const ca = await authority(directory, 'ca')
  const strangerCa = await authority(directory, 'stranger-ca')
  const server = await signed(directory, 'broker', ca, 'subjectAltName=DNS:localhost,IP:127.0.0.1')
  const client = await signed(directory, 'client', ca, 'extendedKeyUsage=clientAuth')
  const stranger = await signed(directory, 'stranger', strangerCa, 'extendedKeyUsage=clientAuth')
  // Kafka reads one file: the key as PKCS#8, then the certificate.
  const keystore = join(directory, 'broker-keystore.pem')
  writeFileSync(keystore, readFileSync(server.key, 'utf8') + readFileSync(server.certificate, 'utf8'))
  const user = 'tickwire'
  const password = 'a-password-for-tests'
  const tls = (listener: string): Properties => ({
    [`listener.name.${listener}.ssl.keystore.type`]: 'PEM',
    [`listener.name.${listener}.ssl.keystore.location`]: keystore,
  })
  return {
    listeners: [
      { name: 'SASL_SSL', protocol: 'SASL_SSL', port: saslPort },
      { name: 'MTLS', protocol: 'SSL', port: mtlsPort },
    ],
    properties: {
      'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config':
        'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      ...tls('sasl_ssl'),
      ...tls('mtls'),
      'listener.name.mtls.ssl.truststore.type': 'PEM',
      'listener.name.mtls.ssl.truststore.location': ca.certificate,
      'listener.name.mtls.ssl.client.auth': 'required',
    },
    format: ['--add-scram', `SCRAM-SHA-512=[name=${user},password=${password}]`],
    access: {
      saslBootstrap: `127.0.0.1:${saslPort}`,
      mtlsBootstrap: `127.0.0.1:${mtlsPort}`,
      user,
      password,
      ca: ca.certificate,
      client,
      stranger,
      strangerCa: strangerCa.certificate,
    },
  }
}
