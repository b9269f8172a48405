// Counts both suites: the native tests' XML (one file per binary, and ctest's own) and vitest's JSON. The last line is
// `N passed, N failed`; the exit code is 1 when anything failed or nothing ran.
//   node scripts/test-summary.mjs build/results
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2] ?? 'build/results'
const attribute = (tag, name) => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]

let passed = 0
let failed = 0
const names = []

function suite(label, counts) {
  passed += counts.passed
  failed += counts.failed
  const skips = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
  console.log(`${label.padEnd(12)} ${counts.passed} passed, ${counts.failed} failed${skips}`)
}

function native() {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const folderNative = join(folder, 'native')
  const failedIn = new Map()
  for (const file of existsSync(folderNative) ? readdirSync(folderNative).filter((name) => name.endsWith('.xml')) : []) {
    let failures = 0
    const text = readFileSync(join(folderNative, file), 'utf8')
    for (const [, tag, body] of text.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
      if (attribute(tag, 'status') === 'notrun') continue
      if (attribute(tag, 'result') === 'skipped') counts.skipped++
      else if (/<(failure|error)\b/.test(body ?? '')) {
        failures++
        names.push(`native ${attribute(tag, 'classname')}.${attribute(tag, 'name')}`)
      } else counts.passed++
    }
    counts.failed += failures
    failedIn.set(file.replace(/^tw_|_test\.xml$/g, ''), failures)
  }
  // A binary that died wrote no XML, or none that says so: ctest knows.
  const ctest = join(folder, 'ctest.xml')
  const text = existsSync(ctest) ? readFileSync(ctest, 'utf8') : ''
  for (const [, tag] of text.matchAll(/<testcase\b([^>]*)>/g)) {
    const name = attribute(tag, 'name') ?? '?'
    if (attribute(tag, 'status') === 'run' || (failedIn.get(name) ?? 0) > 0) continue
    counts.failed++
    names.push(`native ${name}: ${attribute(tag, 'status')} (the binary died or could not be run)`)
  }
  if (text === '') {
    counts.failed++
    names.push('native: ctest did not run')
  }
  return counts
}

function typescript() {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  let report
  try {
    report = JSON.parse(readFileSync(join(folder, 'vitest.json'), 'utf8'))
  } catch {
    names.push('typescript: vitest did not finish')
    return { ...counts, failed: 1 }
  }
  for (const file of report.testResults) {
    const before = counts.failed
    for (const test of file.assertionResults) {
      if (test.status === 'passed') counts.passed++
      else if (test.status === 'failed') {
        counts.failed++
        names.push(`typescript ${test.fullName}`)
      } else counts.skipped++
    }
    if (file.status === 'failed' && counts.failed === before) {
      counts.failed++
      names.push(`typescript ${file.name}: ${String(file.message).split('\n')[0]}`)
    }
  }
  if (!report.success && counts.failed === 0) {
    counts.failed++
    names.push('typescript: an error outside the tests')
  }
  return counts
}

suite('native', native())
suite('typescript', typescript())
for (const name of names) console.log(`FAILED ${name}`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
