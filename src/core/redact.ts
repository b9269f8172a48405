/** Secrets never reach a log, an error or a printed configuration. */

const SECRET =
  /(password|passwd|secret|token|api[_-]?key|access[_-]?key|authorization|cookie|passphrase|private[_-]?key|credential)s?$/i
const HARMLESS = /(instrument|security)[_-]?token$/i
const DEPTH_MAX = 8

export const isSecretName = (name: string): boolean => SECRET.test(name) && !HARMLESS.test(name)

/** A copy with every value under a secret's name replaced, and passwords and keys inside URLs as well. */
export function redact<T>(value: T): T {
  return redactAt(value, 0) as T
}

function redactAt(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEPTH_MAX) return '[…]'
  if (Array.isArray(value)) return value.map((item) => redactAt(item, depth + 1))
  if (value instanceof Error || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      isSecretName(key) && item !== undefined && item !== null ? '[redacted]' : redactAt(item, depth + 1),
    ]),
  )
}

/** `wss://user:pass@host/?api_key=x` loses its password and its key. */
export const redactText = (text: string): string =>
  text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+@/gi, '$1[redacted]@')
    .replace(/([?&](?:[a-z_-]*(?:token|secret|password|api_?key|signature))=)[^&\s]+/gi, '$1[redacted]')
