/**
 * One HTTP request to a schema registry. node:http(s) and not fetch, because fetch cannot be given a certificate authority.
 * Runs on the event loop, at the start and in tools; never on the path of a record.
 */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { SchemaRegistryAwayError, SchemaRegistryError } from '../../core/errors.js'
import { checkAddress, type RegistryAddress } from './schemas-address.js'

export interface RegistryAnswer {
  readonly status: number
  readonly body: unknown
}

const CONTENT = 'application/vnd.schemaregistry.v1+json'
/** A schema is a few kilobytes; nothing a registry says is larger than this. */
const BYTES_MAX = 16 << 20

/** Any status is an answer; throws SchemaRegistryAwayError when there is none. */
export function ask(address: RegistryAddress, method: string, path: string, body?: object): Promise<RegistryAnswer> {
  const base = checkAddress(address.url)
  const url = new URL(`${base.pathname.replace(/\/$/, '')}${path}`, base)
  const timeoutMs = address.timeoutMs ?? 5_000
  const user = address.user ?? decodeURIComponent(base.username)
  const password = address.password ?? decodeURIComponent(base.password)
  const shown = `${base.protocol}//${base.host}`
  const away = (reason: string, cause?: unknown): SchemaRegistryAwayError =>
    new SchemaRegistryAwayError(`the schema registry ${shown} does not answer: ${reason}`, {
      cause,
      fix: 'check its address and that it runs',
    })
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const outgoing = send(url, {
      method,
      signal,
      headers: { accept: `${CONTENT}, application/json`, ...(body === undefined ? {} : { 'content-type': CONTENT }) },
      ...(user === '' ? {} : { auth: `${user}:${password}` }),
      ...(address.ca === undefined ? {} : { ca: address.ca }),
    })
    const fail = (error: Error): void => reject(away(signal.aborted ? `not within ${timeoutMs} ms` : reasonOf(error), error))
    outgoing.on('error', fail)
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = []
      let bytes = 0
      incoming.on('error', fail)
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > BYTES_MAX) outgoing.destroy(new Error(`its answer is longer than ${BYTES_MAX} bytes`))
        else chunks.push(chunk)
      })
      incoming.on('end', () => {
        const status = incoming.statusCode ?? 0
        const text = Buffer.concat(chunks).toString('utf8')
        if (status >= 500) return reject(away(`status ${status} ${text.slice(0, 200)}`))
        try {
          resolve({ status, body: JSON.parse(text) })
        } catch (error) {
          reject(notJson(text, error))
        }
      })
    })
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** A refused connection of a name with several addresses has its reasons inside. */
function reasonOf(error: Error): string {
  const inner = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined
  return inner?.message ?? error.message
}

const notJson = (text: string, cause: unknown): SchemaRegistryError =>
  new SchemaRegistryError(`the schema registry's answer is not JSON: ${text.slice(0, 120)}`, {
    cause,
    fix: 'check that the address is that of a schema registry, its path included',
  })
