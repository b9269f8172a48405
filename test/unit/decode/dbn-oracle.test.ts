/** DBN as decoded by the venue's own library: every value of every record, and the hash of all of them. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { decodePackets, decodePacketsRaw } from '../../../src/native/decode.js'
import { sharedData } from '../../support/shared-data.js'

interface Decoded {
  error?: string
  fields?: string[]
  records?: string[][]
}

test('dbn: the test files of the format', (context) => {
  const files = sharedData('databento/dbn-tests')
  const oracle = sharedData('oracles/databento/dbn-tests.json.gz')
  if (files === undefined || oracle === undefined) return context.skip()
  const all = JSON.parse(gunzipSync(readFileSync(oracle)).toString('utf8')) as Record<string, Decoded>
  let records = 0
  let values = 0
  let refused = 0
  for (const [name, expected] of Object.entries(all)) {
    if (name.endsWith('.zst') || !existsSync(join(files, name))) continue
    const { text, counts } = decodePackets('dbn', readFileSync(join(files, name)))
    if (expected.error !== undefined) {
      expect(counts, name).toEqual({ unknown_type: 1 })
      expect(text, name).toBe('')
      refused++
      continue
    }
    expect(counts, name).toEqual({})
    const actual = text.split('\n').slice(0, -1)
    expect(actual.length, name).toBe(expected.records?.length)
    for (const [i, line] of actual.entries()) {
      const record = JSON.parse(line) as Record<string, string | number>
      expect(Object.keys(record), name).toEqual(expected.fields)
      expect(Object.values(record).map(String), `${name} ${i}`).toEqual(expected.records?.[i])
      records++
      values += Object.keys(record).length
    }
  }
  console.log(`dbn test files: ${records} records, ${values} values equal, ${refused} .dbz refused`)
  expect(values).toBeGreaterThan(0)
})

test('dbn: whole recordings by their sha256', (context) => {
  const folder = sharedData('databento/nautilus')
  const oracle = sharedData('oracles/databento/index.json')
  if (folder === undefined || oracle === undefined) return context.skip()
  const index = JSON.parse(readFileSync(oracle, 'utf8')) as {
    files: Record<string, { count: number; sha256_of_csv_with_all_records: string }>
  }
  let records = 0
  for (const [name, expected] of Object.entries(index.files)) {
    const { text, counts } = decodePacketsRaw('dbn', gunzipSync(readFileSync(join(folder, `${name}.dbn.gz`))))
    expect(counts, name).toEqual({})
    const hash = createHash('sha256')
    let count = 0
    for (let at = 0; at < text.length; ) {
      const end = text.indexOf(10, at)
      const record = JSON.parse(text.toString('latin1', at, end)) as Record<string, string | number>
      if (count === 0) hash.update(`${Object.keys(record).join(',')}\n`)
      hash.update(`${Object.values(record).join(',')}\n`)
      count++
      at = end + 1
    }
    expect(count, name).toBe(expected.count)
    expect(hash.digest('hex'), name).toBe(expected.sha256_of_csv_with_all_records)
    records += count
  }
  console.log(`dbn recordings: ${records} records in ${Object.keys(index.files).length} files, sha256 equal`)
  expect(records).toBeGreaterThan(0)
})
