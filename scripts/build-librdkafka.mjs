// Builds librdkafka and node-rdkafka's own addon in node_modules, once: `npm ci --ignore-scripts` leaves them as sources.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = join(root, 'node_modules', 'node-rdkafka')
if (!existsSync(folder)) {
  console.error(
    'node-rdkafka is not installed: npm left the optional dependency out. Run npm ci --ignore-scripts without --omit=optional',
  )
  process.exit(1)
}
const built = ['deps/librdkafka.so.1', 'Release/node-librdkafka.node'].map((file) => join(folder, 'build', file))
if (built.every((file) => existsSync(file))) process.exit(0)

// Node's headers beside Node itself save node-gyp a download, and work where there is no network for one.
const prefix = dirname(dirname(process.execPath))
const hasHeaders = existsSync(join(prefix, 'include', 'node', 'node_api.h'))
const env = { ...process.env, ...(hasHeaders ? { npm_config_nodedir: prefix } : {}) }
// We may run under make: its job server is not for the makes below node-gyp.
for (const name of ['MAKEFLAGS', 'MFLAGS', 'MAKELEVEL']) delete env[name]

mkdirSync(join(root, 'build'), { recursive: true })
const log = join(root, 'build', 'librdkafka.log')
const output = openSync(log, 'w')
const started = Date.now()
console.log('building librdkafka and node-rdkafka (once; 90 s on two idle cores, 540 MB in node_modules)…')
const rebuild = spawnSync('npm', ['rebuild', 'node-rdkafka', '--ignore-scripts=false', '--foreground-scripts'], {
  cwd: root,
  env,
  stdio: ['ignore', output, output],
})
if (rebuild.status !== 0 || !built.every((file) => existsSync(file))) {
  console.error(readFileSync(log, 'utf8').split('\n').slice(-40).join('\n'))
  console.error(
    `npm rebuild node-rdkafka failed; all of its output is in ${log}. \`sh scripts/setup.sh kafka\` installs what it needs`,
  )
  process.exit(1)
}
console.log(`librdkafka built in ${((Date.now() - started) / 1000).toFixed(1)} s`)
