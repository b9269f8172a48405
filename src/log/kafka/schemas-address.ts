/** Where a schema registry is and how to log in: its URL from a setting or option, the secrets from the environment. */
import { readFileSync } from 'node:fs'
import { ConfigError } from '../../core/errors.js'

export interface RegistryAddress {
  /** `http://127.0.0.1:8081`, with a path where the registry has one. */
  readonly url: string
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** PEM text of the certificate authority that signed the registry's certificate. */
  readonly ca?: string | undefined
  readonly timeoutMs?: number | undefined
}

export function checkAddress(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed !== undefined && (parsed.protocol === 'http:' || parsed.protocol === 'https:')) return parsed
  throw new ConfigError(`${JSON.stringify(url.slice(0, 120))} is not the address of a schema registry`, {
    field: 'registry',
    validValues: ['http://host:port', 'https://host:port/path'],
    fix: 'give its URL',
  })
}

/** SCHEMA_REGISTRY_USER, SCHEMA_REGISTRY_PASSWORD and SCHEMA_REGISTRY_CA, the file of a certificate authority. */
export function registryAddress(url: string, environment: Readonly<Record<string, string | undefined>>): RegistryAddress {
  checkAddress(url)
  const file = environment.SCHEMA_REGISTRY_CA
  return {
    url,
    user: environment.SCHEMA_REGISTRY_USER,
    password: environment.SCHEMA_REGISTRY_PASSWORD,
    ca: file === undefined || file === '' ? undefined : readCa(file),
  }
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`SCHEMA_REGISTRY_CA: ${file} cannot be read: ${(error as Error).message}`, {
      file,
      field: 'SCHEMA_REGISTRY_CA',
      cause: error,
      fix: 'give the path of a PEM file',
    })
  }
}
