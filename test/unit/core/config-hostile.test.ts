/** Any bytes as configuration: a clear error or checked settings, never another exception and never a half-read setting. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { PlatformError } from '../../../src/core/errors.js'
import { parseDeclarations } from '../../../src/ingestion/csv-options.js'
import { loadExchanges } from '../../../src/model/exchanges.js'
import { loadTopics } from '../../../src/model/topics-file.js'
import { loadSettings } from '../../../src/services/settings.js'

const directory = mkdtempSync(join(tmpdir(), 'tickwire-config-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const file = join(directory, 'hostile.yaml')

const keys = [
  'data_dir',
  'log',
  'ingestion',
  'feeds',
  'symbols',
  'bars',
  'intervals',
  'exchanges',
  'topics',
  'defaults',
  'number',
  'kind',
  'columns',
]
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(null, true, -1, 0, 1e308, Number.NaN, '', 'binance', '1m', '\u0000', '&a *a', '<<: x'),
    fc.string(),
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string({ maxLength: 8 })), tie('node'), { maxKeys: 4 }),
  ),
})).node

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  settings: () => loadSettings({ file, environment: {} }),
  topics: () => loadTopics(file),
  exchanges: () => loadExchanges(file),
  'csv declarations': (text) => parseDeclarations(text, file),
}

describe('hostile configuration', () => {
  for (const [name, read] of Object.entries(readers)) {
    const refusedCleanly = (bytes: Uint8Array | string) => {
      writeFileSync(file, bytes)
      try {
        read(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'))
      } catch (error) {
        expect(error).toBeInstanceOf(PlatformError)
        expect((error as Error).message).not.toBe('')
      }
    }
    it(`${name}: any bytes`, () => {
      fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), refusedCleanly), { numRuns: 200 })
    })
    it(`${name}: any tree of values`, () => {
      fc.assert(
        fc.property(value, (tree) => refusedCleanly(JSON.stringify(tree) ?? '')),
        { numRuns: 300 },
      )
    })
  }
})
