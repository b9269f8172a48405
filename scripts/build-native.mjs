// Builds build/native/tickwire.node with cmake-js; says what it does and how long it took.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const out = join(root, 'build', 'native')
mkdirSync(out, { recursive: true })
const started = Date.now()
console.log('building the native engine (cmake-js, Release)…')
const cmakeJs = join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js')
if (!existsSync(cmakeJs)) {
  console.error('cmake-js is not installed: run npm ci --ignore-scripts first')
  process.exit(1)
}
const args = [cmakeJs, 'compile', '--directory', join(root, 'native'), '--out', out, '--generator', 'Ninja']
const build = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
if (build.status !== 0) {
  process.stdout.write(build.stdout ?? '')
  console.error('the native build failed; `make setup` installs what it needs')
  process.exit(build.status ?? 1)
}
console.log(`native engine built in ${((Date.now() - started) / 1000).toFixed(1)} s`)
