// Builds the native engine with cmake-js into build/native; with `kafka` the Kafka engine into build/kafka. Says what it does and how long it took.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const targets = {
  native: { name: 'native engine', options: [], help: '`make setup` installs what it needs' },
  kafka: { name: 'Kafka engine', options: ['--CDTW_KAFKA=ON'], help: '`make kafka` installs and builds what it needs' },
}
const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const wanted = process.argv[2] ?? 'native'
if (!Object.hasOwn(targets, wanted)) {
  console.error(`"${wanted}" is unknown; valid: ${Object.keys(targets).join(', ')}`)
  process.exit(2)
}
const { name, options, help } = targets[wanted]
const out = join(root, 'build', wanted)
mkdirSync(out, { recursive: true })
const started = Date.now()
console.log(`building the ${name} (cmake-js, Release)…`)
const cmakeJs = join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js')
if (!existsSync(cmakeJs)) {
  console.error('cmake-js is not installed: run npm ci --ignore-scripts first')
  process.exit(1)
}
const args = [cmakeJs, 'compile', '--directory', join(root, 'native'), '--out', out, '--generator', 'Ninja', ...options]
const build = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
if (build.status !== 0) {
  process.stdout.write(build.stdout ?? '')
  console.error(`the build of the ${name} failed; ${help}`)
  process.exit(build.status ?? 1)
}
console.log(`${name} built in ${((Date.now() - started) / 1000).toFixed(1)} s`)
