/** Schemas against a real registry: planned, registered, refused when they break a reader, and kept for the time the registry is away. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SchemaRegistryAwayError, SchemaRegistryError } from '../../src/core/errors.js'
import { createLogger, silentLogger } from '../../src/core/logging.js'
import { Metrics } from '../../src/core/metrics.js'
import { SchemaRegistry } from '../../src/log/kafka/schemas-client.js'
import { schemaIds } from '../../src/log/kafka/schemas-ids.js'
import { applySchemas, declaredSchemas, planSchemas, type SchemaDeclaration } from '../../src/log/kafka/schemas-plan.js'
import { loadTopics } from '../../src/model/topics-file.js'
import { cli } from '../support/cli.js'
import { kafkaHere } from '../support/kafka/dist.js'
import { type Registry, startRegistry } from '../support/kafka/registry.js'

const topics = loadTopics('config/topics.yaml')
const owners = ['market.equities', 'market.crypto'].flatMap((market) =>
  ['trades', 'quotes', 'reference_data'].map((type) =>
    topics.get(`${market}.${type}.${market.endsWith('crypto') ? 'binance' : 'asx'}`),
  ),
)
const record = (name: string, ...fields: object[]): string => JSON.stringify({ type: 'record', name, fields })
const one = { name: 'a', type: 'long' }

// Skipped aloud where programs that real brokers need are missing: kafkaHere names them.
describe.skipIf(!kafkaHere())('a schema registry', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-schemas-'))
  let server: Registry
  let registry: SchemaRegistry

  beforeAll(async () => {
    server = await startRegistry()
    registry = new SchemaRegistry({ url: server.url })
  }, 120_000)
  afterAll(async () => {
    await server?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const declare = (subject: string, schema: string): SchemaDeclaration => ({ subject, schemaName: subject, schema })

  test('S4-09/16 the six subjects of the owner are registered from the configuration, and then nothing is left to do', async () => {
    const declared = declaredSchemas(owners, topics.source)
    expect(declared.map((d) => d.subject)).toEqual([
      'market.crypto.quotes-value',
      'market.crypto.reference_data-value',
      'market.crypto.trades-value',
      'market.equities.quotes-value',
      'market.equities.reference_data-value',
      'market.equities.trades-value',
    ])
    const before = await planSchemas(registry, declared)
    expect(before.map((c) => [c.kind, c.subject])).toEqual(declared.map((d) => ['register', d.subject]))
    expect(await registry.version('market.crypto.trades-value')).toBeUndefined()
    expect(await applySchemas(registry, declared)).toBe(6)
    for (const { subject } of declared) expect(await registry.version(subject)).toMatchObject({ subject, version: 1 })
    expect(await planSchemas(registry, declared)).toEqual([])
    expect(await applySchemas(registry, declared)).toBe(0)
  })

  test('a schema is found by subject and by version', async () => {
    const schema = record('Found', one)
    const id = await registry.register('found-value', schema)
    expect(await registry.register('found-value', schema)).toBe(id)
    expect(await registry.lookUp('found-value', schema)).toMatchObject({ id, version: 1 })
    expect(await registry.version('found-value')).toMatchObject({ id, version: 1, subject: 'found-value' })
    expect(await registry.version('found-value', 2)).toBeUndefined()
    expect(await registry.version('nobody-value')).toBeUndefined()
  })

  test('S4-17 a new field with a default is registered as the next version', async () => {
    await registry.register('grows-value', record('Grows', one))
    const grown = declare('grows-value', record('Grows', one, { name: 'b', type: ['null', 'string'], default: null }))
    expect(await planSchemas(registry, [grown])).toEqual([
      { kind: 'register', subject: 'grows-value', schemaName: 'grows-value', after: 1 },
    ])
    expect(await applySchemas(registry, [grown])).toBe(1)
    expect((await registry.version('grows-value'))?.version).toBe(2)
  })

  test('S4-17 a new field without a default is refused, and nothing of the same plan is registered', async () => {
    await registry.register('breaks-value', record('Breaks', one))
    const broken = declare('breaks-value', record('Breaks', one, { name: 'b', type: 'string' }))
    const good = declare('beside-value', record('Beside', one))
    expect((await planSchemas(registry, [broken])).map((c) => c.kind)).toEqual(['incompatible'])
    await expect(applySchemas(registry, [good, broken])).rejects.toThrow(/breaks-value/)
    expect(await registry.version('beside-value')).toBeUndefined()
    await expect(registry.register('breaks-value', broken.schema)).rejects.toThrow(/refuses breaks-value: status 409/)
  })

  test('a subject that would take anything is set to BACKWARD before it is asked', async () => {
    await registry.register('loose-value', record('Loose', one))
    const put = await fetch(`${server.url}/config/loose-value`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ compatibility: 'NONE' }),
    })
    expect(put.ok).toBe(true)
    const broken = declare('loose-value', record('Loose', { name: 'b', type: 'string' }))
    expect((await planSchemas(registry, [broken])).map((c) => c.kind)).toContain('level')
    await expect(applySchemas(registry, [broken])).rejects.toThrow(SchemaRegistryError)
    expect(await registry.compatibility('loose-value')).toBe('BACKWARD')
    expect((await registry.version('loose-value'))?.version).toBe(1)
  })

  test('S4-20/24 the command line: check fails, plan tells, apply registers and says how long it took, check holds', async () => {
    const schemas = (command: string, ...more: string[]) =>
      cli(['schemas', command, '--registry', server.url, '--exchanges', 'oanda', '--types', 'trades,quotes', ...more])
    expect(await schemas('check')).toMatchObject({ code: 1, err: expect.stringContaining('2 differences') })
    const rows = JSON.parse((await schemas('plan')).out) as { action: string; name: string; to: string }[]
    expect(rows.map((r) => [r.action, r.name, r.to])).toEqual([
      ['register', 'market.fx.quotes-value', 'quote'],
      ['register', 'market.fx.trades-value', 'trade'],
    ])
    expect(await schemas('apply')).toMatchObject({ code: 2, err: expect.stringContaining('--yes') })
    expect(await registry.version('market.fx.trades-value')).toBeUndefined()
    const applied = await schemas('apply', '--yes')
    expect([applied.code, applied.err]).toEqual([0, expect.stringMatching(/2 schemas registered in \d+\.\d\d s/)])
    expect(await schemas('check')).toMatchObject({ code: 0, out: '[]\n' })
    expect(await cli(['schemas', 'check', '--all'])).toMatchObject({ code: 2, err: expect.stringContaining('--registry') })
    expect(await cli(['schemas', 'check', '--all', '--registry', 'http://127.0.0.1:1'])).toMatchObject({
      code: 3,
      err: expect.stringContaining('MD_SCHEMA_REGISTRY_AWAY'),
    })
  })

  test('S4-17 the command line refuses what breaks a reader', async () => {
    await registry.register('market.indices.trades-value', record('Trade', { name: 'gone', type: 'long' }))
    const refused = await cli(['schemas', 'apply', '--yes', '--registry', server.url, '--exchanges', 'nse', '--types', 'trades'])
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('market.indices.trades-value')])
    expect((await registry.version('market.indices.trades-value'))?.version).toBe(1)
  })

  test('what is no schema is refused with the registry’s reason', async () => {
    await expect(registry.register('nonsense-value', '{"type":"nonsense"}')).rejects.toThrow(/refuses nonsense-value: status 422/)
  })

  test('user, password and certificate authority reach the registry', async () => {
    const key = join(directory, 'proxy.key')
    const certificate = join(directory, 'proxy.pem')
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate]
    execFileSync('openssl', [...made, ...names], { stdio: 'ignore' })
    const proxy = await loginProxy(server.url, 'alice:secret', key, certificate)
    try {
      const url = `https://127.0.0.1:${(proxy.address() as AddressInfo).port}/apis/ccompat/v7`
      const ca = readFileSync(certificate, 'utf8')
      await registry.register('login-value', record('Login', one))
      expect((await new SchemaRegistry({ url, user: 'alice', password: 'secret', ca }).version('login-value'))?.version).toBe(1)
      const wrong = new SchemaRegistry({ url, user: 'alice', password: 'wrong', ca })
      await expect(wrong.version('login-value')).rejects.toThrow(/status 401/)
      await expect(wrong.version('login-value')).rejects.not.toThrow(/wrong/)
      await expect(new SchemaRegistry({ url, user: 'alice', password: 'secret' }).version('login-value')).rejects.toThrow(
        SchemaRegistryAwayError,
      )
    } finally {
      proxy.close()
    }
  })

  test('a registry that does not answer in time is away', async () => {
    process.kill(server.pid, 'SIGSTOP')
    try {
      await expect(new SchemaRegistry({ url: server.url, timeoutMs: 200 }).version('login-value')).rejects.toThrow(
        /not within 200 ms/,
      )
    } finally {
      process.kill(server.pid, 'SIGCONT')
    }
  })

  test('registry away: the kept ids go on, warned and counted; a schema never seen does not', async () => {
    const file = join(directory, 'data', 'schema-ids.json')
    const metrics = new Metrics()
    const lines: string[] = []
    const logger = createLogger({ service: 'test', write: (line) => void lines.push(line) })
    const declared = declaredSchemas(owners, topics.source)
    const ids = await schemaIds(declared, { registry, file, logger: silentLogger, metrics })
    expect(ids.size).toBe(6)
    for (const { subject, schema } of declared) expect((await registry.lookUp(subject, schema))?.id).toBe(ids.get(subject))

    await server.kill()
    expect(await schemaIds(declared, { registry, file, logger, metrics })).toEqual(ids)
    expect(lines.join('')).toContain('using kept ids')
    expect(await metrics.text()).toContain('tickwire_schema_ids_cached_total{subject="market.crypto.trades-value"} 1')
    const changed = declared.map((d) => ({ ...d, schema: d.schema.replace('One trade.', 'Another trade.') }))
    await expect(schemaIds(changed, { registry, file, logger, metrics })).rejects.toThrow(
      /has no id for market\.crypto\.trades-value as it is now/,
    )
    writeFileSync(file, 'damaged')
    await expect(schemaIds(declared, { registry, file, logger, metrics })).rejects.toThrow(SchemaRegistryAwayError)
  })
})

/** A registry behind a login and TLS of its own. */
async function loginProxy(target: string, login: string, key: string, certificate: string): Promise<Server> {
  const expected = `Basic ${Buffer.from(login).toString('base64')}`
  const { hostname, port } = new URL(target)
  const proxy = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (incoming, outgoing) => {
    if (incoming.headers.authorization !== expected) return outgoing.writeHead(401).end('{"error_code":40101,"message":"no"}')
    const { method, url, headers } = incoming
    incoming.pipe(
      request({ hostname, port, method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502)
        answer.pipe(outgoing)
      }),
    )
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  return proxy
}
