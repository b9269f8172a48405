/** What is wrong with views is told before anything starts, with its field; there is no broker and no registry to ask. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { silentLogger } from '../../../src/core/logging.js'
import { packageRoot } from '../../../src/native/addon.js'
import { openRuntime } from '../../../src/services/index.js'
import { loadSettings } from '../../../src/services/settings.js'
import { checkViews } from '../../../src/services/views.js'

const directory = mkdtempSync(join(tmpdir(), 'tickwire-views-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const NAME = 'market.crypto.trades.binance'
const nowhere = join(directory, 'no.pem')
const registry = { url: 'http://127.0.0.1:1' }

/** With this declaration of one topic; given settings under `kafka`. */
async function check(declaration: string, kafka: object = {}): Promise<void> {
  const file = join(directory, 'topics.yaml')
  const declared = readFileSync(join(packageRoot, 'config/topics.yaml'), 'utf8')
  writeFileSync(file, declared.replace('topics: {}', `topics: { ${NAME}: ${declaration} }`))
  const settings = loadSettings({
    environment: {},
    given: {
      data_dir: join(directory, 'data'),
      topics_file: file,
      bars: { exchanges: ['binance'] },
      kafka: { brokers: '127.0.0.1:1', ...kafka },
    },
  })
  const runtime = await openRuntime({ settings, service: 'test', connectLater: true, environment: {}, logger: silentLogger })
  try {
    checkViews(runtime)
  } finally {
    await runtime.close()
  }
}

test('JSON needs no registry, Avro one that is named, and neither is asked', async () => {
  await check('{ view: json }')
  await check('{ view: avro }', { registry })
})

test.each([
  ['Avro without a registry', '{ view: avro }', {}, 'kafka.registry.url'],
  ['a schema that is not there', '{ view: avro, schema: traed }', { registry }, `topics.${NAME}.schema`],
  [
    'an authority that cannot be read',
    '{ view: avro }',
    { registry: { ...registry, ca_file: nowhere } },
    'kafka.registry.ca_file',
  ],
  ['a TLS file that is not there', '{}', { security: { protocol: 'ssl', ca_file: nowhere } }, 'kafka.security.ca_file'],
])('%s is refused', async (_what, declaration, kafka, field) => {
  await expect(check(declaration, kafka)).rejects.toMatchObject({ exitCode: 2, field })
})

test('a wrong declaration is said of the file it stands in', async () => {
  await expect(check('{ view: avro, schema: traed }', { registry })).rejects.toMatchObject({
    file: join(directory, 'topics.yaml'),
  })
})
