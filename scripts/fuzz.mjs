// Builds the libFuzzer targets (clang, ASan + UBSan) and runs each for FUZZ_SECONDS (default 60; CI uses 10).
//   node scripts/fuzz.mjs [target-prefix]
// Inputs that once crashed stand in test/fuzz/regression/<target>/ and are run first. A new crash is written to
// build/fuzz/crashes and named; add it to the regressions with its fix.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const build = join(root, 'build', 'fuzz')
const seconds = Number(process.env.FUZZ_SECONDS ?? 60)
const prefix = process.argv[2] ?? ''

const targets = readdirSync(join(root, 'test', 'fuzz'))
  .filter((file) => file.endsWith('_fuzz.cc') && file.startsWith(prefix))
  .map((file) => basename(file, '.cc'))
if (targets.length === 0) {
  console.error(`no fuzz target begins with ${prefix}`)
  process.exit(2)
}
const compiler = ['clang++-14', 'clang++'].find((name) => spawnSync(name, ['--version']).status === 0)
if (compiler === undefined) {
  console.error('fuzzing needs clang (Debian: clang-14 libclang-rt-14-dev); `make setup-test` installs it')
  process.exit(3)
}

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
  if (result.status === 0) return
  console.error(result.stdout, result.stderr)
  process.exit(1)
}
console.log(`building ${targets.length} fuzz targets with ${compiler}…`)
run('cmake', ['-S', join(root, 'native'), '-B', build, '-G', 'Ninja', '-DTW_FUZZ=ON', `-DCMAKE_CXX_COMPILER=${compiler}`])
run('ninja', ['-C', build, ...targets])

let failed = 0
const crashes = join(build, 'crashes')
mkdirSync(crashes, { recursive: true })
for (const target of targets) {
  const corpus = join(build, 'corpus', target)
  mkdirSync(corpus, { recursive: true })
  const seeds = join(root, 'test', 'fuzz', 'regression', target)
  const inputs = existsSync(seeds) ? [corpus, seeds] : [corpus]
  const args = [
    `-max_total_time=${seconds}`,
    '-max_len=8192',
    '-rss_limit_mb=2048',
    '-timeout=10',
    `-artifact_prefix=${crashes}/${target}-`,
    '-print_final_stats=1',
    ...inputs,
  ]
  const result = spawnSync(join(build, target), args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 })
  const executions = /stat::number_of_executed_units:\s+(\d+)/.exec(result.stderr)?.[1] ?? '0'
  if (result.status === 0 && executions !== '0') {
    console.log(`fuzz ${target}: ${executions} inputs in ${seconds} s, no crash`)
    continue
  }
  failed += 1
  console.error(`fuzz ${target}: FAILED (${result.status ?? result.signal}) after ${executions} inputs`)
  console.error(result.stderr.split('\n').slice(-60).join('\n'))
  for (const file of readdirSync(crashes).filter((name) => name.startsWith(`${target}-`))) {
    console.error(
      `input ${join('build/fuzz/crashes', file)}: ${readFileSync(join(crashes, file)).subarray(0, 256).toString('hex')}`,
    )
  }
}
console.log(`fuzz: ${targets.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
