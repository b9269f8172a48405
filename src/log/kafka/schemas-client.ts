/** A schema registry's API, as much of it as producers and tools need. Confluent's paths and codes; Apicurio answers the same. */
import { z } from 'zod'
import { SchemaRegistryError } from '../../core/errors.js'
import { checkAddress, type RegistryAddress } from './schemas-address.js'
import { ask, type RegistryAnswer } from './schemas-http.js'

export interface RegisteredSchema {
  readonly subject: string
  readonly id: number
  readonly version: number
  readonly schema: string
}

/** Levels at which whoever has the new schema can read what is there. */
const readingLevels = ['BACKWARD', 'BACKWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE'] as const
export const keepsReaders = (level: string): boolean => (readingLevels as readonly string[]).includes(level)

const registered = z.object({ subject: z.string(), id: z.int(), version: z.int(), schema: z.string() })
const problem = z.object({ error_code: z.int().optional(), message: z.string().optional() })
/** Confluent calls it one thing when it is asked and another when it is set. */
const level = z.union([
  z.object({ compatibilityLevel: z.string() }).transform((b) => b.compatibilityLevel),
  z.object({ compatibility: z.string() }).transform((b) => b.compatibility),
])

const at = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`

export class SchemaRegistry {
  readonly #address: RegistryAddress

  constructor(address: RegistryAddress) {
    checkAddress(address.url)
    this.#address = address
  }

  get url(): string {
    const { protocol, host, pathname } = new URL(this.#address.url)
    return `${protocol}//${host}${pathname.replace(/\/$/, '')}`
  }

  /** Its id; the same schema again gives the same. Refused when it is not compatible. */
  async register(subject: string, schema: string): Promise<number> {
    const answer = await ask(this.#address, 'POST', `${at(subject)}/versions`, { schema })
    return this.#read(answer, z.object({ id: z.int() }), subject).id
  }

  /** Where this schema stands under its subject; undefined: not yet. */
  async lookUp(subject: string, schema: string): Promise<RegisteredSchema | undefined> {
    const answer = await ask(this.#address, 'POST', at(subject), { schema })
    if (answer.status === 404) return undefined
    const { id, version } = this.#read(answer, z.object({ id: z.int(), version: z.int() }), subject)
    return { subject, id, version, schema }
  }

  /** A version of a subject, the newest unless told; undefined: none. */
  version(subject: string, version: number | 'latest' = 'latest'): Promise<RegisteredSchema | undefined> {
    return this.#find(`${at(subject)}/versions/${version}`, registered, subject)
  }

  /** Against the newest version of the subject; a subject without versions takes anything. */
  async isCompatible(
    subject: string,
    schema: string,
  ): Promise<{ readonly compatible: boolean; readonly messages: readonly string[] }> {
    const path = `/compatibility${at(subject)}/versions/latest?verbose=true`
    const answer = await ask(this.#address, 'POST', path, { schema })
    if (answer.status === 404) return { compatible: true, messages: [] }
    const body = z.object({ is_compatible: z.boolean(), messages: z.array(z.string()).nullish() })
    const { is_compatible: compatible, messages } = this.#read(answer, body, subject)
    return { compatible, messages: messages ?? [] }
  }

  /** The level that counts for a subject: its own, or the registry's. */
  async compatibility(subject: string): Promise<string> {
    return (await this.#find(`/config/${encodeURIComponent(subject)}`, level, subject)) ?? (await this.#get('/config', level))
  }

  async setCompatibility(subject: string, compatibility: 'BACKWARD'): Promise<void> {
    const answer = await ask(this.#address, 'PUT', `/config/${encodeURIComponent(subject)}`, { compatibility })
    this.#read(answer, z.unknown(), subject)
  }

  async #get<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    return this.#read(await ask(this.#address, 'GET', path), shape, path)
  }

  async #find<T>(path: string, shape: z.ZodType<T>, what: string): Promise<T | undefined> {
    const answer = await ask(this.#address, 'GET', path)
    return answer.status === 404 ? undefined : this.#read(answer, shape, what)
  }

  #read<T>({ status, body }: RegistryAnswer, shape: z.ZodType<T>, what: string): T {
    const read = shape.safeParse(body)
    if (status < 300 && read.success) return read.data
    const said = problem.safeParse(body).data
    const text = said?.message?.slice(0, 400) ?? (status < 300 ? 'an answer of another shape' : '')
    throw new SchemaRegistryError(`the schema registry ${this.url} refuses ${what}: status ${status} ${text}`.trimEnd(), {
      field: what,
      fix: fixes[status] ?? 'check that the address is that of a schema registry, its path included',
    })
  }
}

const fixes: Readonly<Record<number, string>> = {
  401: 'give its user and password: SCHEMA_REGISTRY_USER, SCHEMA_REGISTRY_PASSWORD',
  403: 'this user may not do that: ask whoever runs the registry',
  409: 'new fields need defaults, and fields without a default stay: `tickwire schemas check` shows the difference',
  422: 'the schema or level is not one the registry knows',
}
