/** What the style page can only ask: directions of imports, sizes of files, headers of folders, forbidden marks, drift of what is generated. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { layoutJson } from '../src/native/model.js'

const LINES_MAX = 400
/** A test file is a list of cases: it may be longer. */
const LINES_MAX_TESTS = 500
const read = (file: string): string => readFileSync(file, 'utf8')

function filesOf(folder: string, pattern: RegExp): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => pattern.test(file) && !file.includes('generated'))
}

const typescript = ['src', 'test', 'bench'].flatMap((folder) => filesOf(folder, /\.(ts|tsx)$/))
const native = ['native', 'test/native', 'test/fuzz', 'bench/native'].flatMap((folder) => filesOf(folder, /\.(cc|h)$/))
const scripts = ['scripts', 'bench'].flatMap((folder) => filesOf(folder, /\.mjs$/))
const written = [...new Set([...typescript, ...native, ...scripts])]

/** Which folders of src a folder may import; itself always. Stages meet only through the log. */
const below = ['core', 'model', 'native', 'wire']
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  model: ['core'],
  native: ['core', 'model'],
  wire: ['core', 'model', 'native'],
  adapters: below,
  ingestion: [...below, 'adapters', 'log'],
  log: below,
  processors: [...below, 'log'],
  stream: [...below, 'log'],
  services: [...below, 'adapters', 'ingestion', 'log', 'processors', 'stream'],
  cli: [...below, 'adapters', 'ingestion', 'log', 'processors', 'stream', 'services'],
}
const importsOf = (file: string): string[] =>
  [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((m) => resolve(dirname(file), m[1] ?? ''))

test('imports run one way', () => {
  const wrong: string[] = []
  let checked = 0
  for (const file of filesOf('src', /\.ts$/)) {
    const [, folder = ''] = file.split('/')
    if (!(folder in allowed)) continue
    for (const target of importsOf(file)) {
      const [top, targetFolder = ''] = relative('.', target).split('/')
      checked++
      const isAllowed = top === 'src' && (targetFolder === folder || (allowed[folder] ?? []).includes(targetFolder))
      // The roots of the tree compose everything and are imported by nobody.
      if (!isAllowed) wrong.push(`${file} imports ${relative('.', target)}`)
    }
  }
  expect(checked).toBeGreaterThan(20)
  expect(wrong).toEqual([])
})

test('native layers use only those before them, and only the addons know Node', () => {
  const cmake = read('native/CMakeLists.txt')
  // Kafka's folders are an addon of their own, on top of the engine's.
  const layers = [/set\(TW_MODULES ([^)]+)\)/, /foreach\(module (kafka [^)]+)\)/].flatMap(
    (list) => list.exec(cmake)?.[1]?.split(' ') ?? [],
  )
  expect(layers.length).toBeGreaterThan(7)
  const wrong: string[] = []
  for (const file of filesOf('native', /\.(cc|h)$/)) {
    const [, folder = ''] = file.split('/')
    const text = read(file)
    const addon = folder === 'addon' || folder === 'kafka_addon'
    if (!addon && text.includes('<napi.h>')) wrong.push(`${file} includes <napi.h>`)
    for (const [, included = '', header = ''] of text.matchAll(/#include "([a-z]+)\/([a-z_]+\.h)"/g)) {
      // The log's interface is where stages meet: whoever writes records may know it.
      if (addon || included === folder || `${included}/${header}` === 'journal/log.h') continue
      if (layers.includes(included) && layers.indexOf(included) > layers.indexOf(folder))
        wrong.push(`${file} includes ${included}/`)
    }
  }
  expect(wrong).toEqual([])
})

test(`no file is longer than ${LINES_MAX} lines`, () => {
  const generated = new Set(['src/wire/layout.ts'])
  const long = written.filter((f) => !generated.has(f)).map((f) => [f, read(f).split('\n').length - 1] as const)
  expect(long.length).toBeGreaterThan(50)
  expect(long.filter(([f, lines]) => lines > (f.startsWith('test/') ? LINES_MAX_TESTS : LINES_MAX))).toEqual([])
})

test('no unfinished marks, no casts to any, no machine of ours', () => {
  const marks = [/\bTO[D]O\b/, /\bFIX[M]E\b/, /\bX[X]X\b/, /\bas an[y]\b/, /@ts-igno[r]e/, /\/work\/(?:shared|main|w-)/]
  const found = written.flatMap((file) => marks.filter((mark) => mark.test(read(file))).map((mark) => `${file}: ${mark.source}`))
  expect(found).toEqual([])
})

test('every folder says what it reads, writes, on which thread, and what happens when the next stage is slow', () => {
  const folders = readdirSync('src', { withFileTypes: true }).filter((d) => d.isDirectory() && d.name !== 'web')
  const silent = folders
    .map((d) => join('src', d.name))
    .filter((folder) => filesOf(folder, /\.ts$/).length > 0)
    .filter((folder) => {
      const header = ['README.md', 'index.ts'].map((name) => join(folder, name)).find((file) => existsSync(file))
      return header === undefined || !(header.endsWith('.md') || read(header).startsWith('/**'))
    })
  expect(silent).toEqual([])
  // A header file tells its source file's story.
  const headers = written.filter((f) => /^native\/.*\.h$/.test(f) && !/^\/\//.test(read(f)))
  expect(headers).toEqual([])
})

test('what flatc makes of the schema is what is committed', () => {
  const out = mkdtempSync(join(tmpdir(), 'tickwire-tidy-'))
  try {
    const flatc = spawnSync('flatc', ['--cpp', '--scoped-enums', '-o', out, 'config/schema/tickwire.fbs'], { encoding: 'utf8' })
    if (flatc.error !== undefined) {
      console.warn('SKIPPED: flatc (Debian: flatbuffers-compiler) is not here')
      return
    }
    expect(flatc.status).toBe(0)
    expect(read(join(out, 'tickwire_generated.h'))).toBe(read('native/wire/generated/tickwire_generated.h'))
  } finally {
    rmSync(out, { recursive: true })
  }
})

test('the committed layout is the one the engine prints', () => {
  expect(JSON.parse(read('config/schema/layout.json'))).toEqual(JSON.parse(layoutJson()))
})
