// Bundles the demo with the venue it simulates (test/support/venues) into dist/demo: the simulator is no part of the engine.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const started = Date.now()
await build({
  entryPoints: [join(root, 'src', 'demo', 'index.ts')],
  outfile: join(root, 'dist', 'demo', 'index.js'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  tsconfigRaw: {},
  logLevel: 'error',
})
console.log(`demo built in ${((Date.now() - started) / 1000).toFixed(1)} s (dist/demo)`)
