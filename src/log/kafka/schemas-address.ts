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
  // Without its scheme a URL may still hold a password, and only the host is shown.
  const shown = url.slice(url.lastIndexOf('@') + 1).slice(0, 120)
  throw new ConfigError(`${JSON.stringify(shown)} is not the address of a schema registry`, {
    field: 'kafka.registry.url',
    validValues: ['http://host:port', 'https://host:port/path'],
    fix: 'give its URL',
  })
}

/** User and password come from SCHEMA_REGISTRY_USER and SCHEMA_REGISTRY_PASSWORD and stand in no file. */
export function registryAddress(
  registry: { readonly url: string; readonly ca_file?: string | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): RegistryAddress {
  checkAddress(registry.url)
  return {
    url: registry.url,
    user: environment.SCHEMA_REGISTRY_USER,
    password: environment.SCHEMA_REGISTRY_PASSWORD,
    ca: registry.ca_file === undefined ? undefined : readCa(registry.ca_file),
  }
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`kafka.registry.ca_file: ${file} cannot be read: ${(error as Error).message}`, {
      file,
      field: 'kafka.registry.ca_file',
      cause: error,
      fix: 'give the path of a PEM file',
    })
  }
}
