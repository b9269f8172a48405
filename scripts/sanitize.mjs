// Builds the native tests under sanitizers and runs them: ThreadSanitizer for what has threads, AddressSanitizer with
// UndefinedBehaviorSanitizer for everything.
//   node scripts/sanitize.mjs [thread|address]
// ThreadSanitizer cannot follow a fork that goes on with threads: those tests are left out there, by name.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const only = process.argv[2]

const modules = readdirSync(join(root, 'test', 'native'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
const suites = [
  {
    name: 'thread',
    sanitize: 'thread',
    modules: ['ring', 'batch', 'journal', 'bars', 'fanout'],
    without: [
      ['*Killed*', 'forks, and the child starts threads'],
      ['Processes.*', 'forks writers'],
      ['GroupTest.TellsReusedPidsByTheirStart', 'forks'],
      ['Images.*', 'one thread, thousands of openings'],
    ],
    environment: { TSAN_OPTIONS: 'halt_on_error=0:exitcode=66:second_deadlock_stack=1' },
  },
  {
    name: 'address',
    sanitize: 'address,undefined',
    modules,
    without: [],
    environment: {
      ASAN_OPTIONS: 'detect_leaks=1:strict_string_checks=1',
      UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
    },
  },
].filter((suite) => only === undefined || suite.name === only)
if (suites.length === 0) {
  console.error(`no sanitizer suite ${only}; there are thread and address`)
  process.exit(2)
}

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
  if (result.status === 0) return
  console.error(result.stdout, result.stderr)
  process.exit(1)
}

let passed = 0
let failed = 0
for (const suite of suites) {
  const build = join(root, 'build', `sanitize-${suite.name}`)
  const targets = suite.modules.map((module) => `tw_${module}_test`)
  console.log(`building ${targets.length} test programs with -fsanitize=${suite.sanitize}…`)
  run('cmake', ['-S', 'native', '-B', build, '-G', 'Ninja', '-DTW_TESTS=ON', `-DTW_SANITIZE=${suite.sanitize}`])
  run('ninja', ['-C', build, ...targets])
  for (const [filter, reason] of suite.without) console.log(`sanitize ${suite.name}: without ${filter} (${reason})`)
  for (const target of targets) {
    const program = join(build, target)
    if (!existsSync(program)) continue
    const filter = `*-${suite.without.map(([pattern]) => pattern).join(':')}`
    const result = spawnSync(program, [`--gtest_filter=${filter}`, '--gtest_brief=1'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { ...process.env, ...suite.environment },
    })
    const tests = /\[==========\] (\d+) tests? from/.exec(result.stdout)?.[1] ?? '0'
    if (result.status === 0 && tests !== '0') {
      passed += 1
      console.log(`sanitize ${suite.name} ${target}: ${tests} tests, nothing found`)
      continue
    }
    failed += 1
    console.error(`sanitize ${suite.name} ${target}: FAILED (${result.status ?? result.signal}), ${tests} tests`)
    console.error(`${result.stdout}\n${result.stderr}`.split('\n').slice(0, 200).join('\n'))
  }
}
console.log(`sanitize: ${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
