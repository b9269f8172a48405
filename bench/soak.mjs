// Two minutes at 50,000 ticks/s: frames → feed → log with a bounded retention → bars → a subscriber (make soak).
//   SOAK_SECONDS=60 node bench/soak.mjs      SOAK_RATE=20000 for a small machine
// Exits 1 when the anonymous memory of the engine's process grows by 1 MB a minute or more after the warm-up, when a tick is
// refused, or when less than 90 % of the rate was achieved.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const target = join(root, 'build', 'bench', 'soak.mjs')
await build({
  entryPoints: [join(root, 'bench', 'ts', 'soak.ts')],
  outfile: target,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  logLevel: 'error',
})
// A small young generation: its pages are all in use within the warm-up, and do not look like a leak.
const run = spawnSync(process.execPath, ['--max-semi-space-size=2', target], { cwd: root, stdio: 'inherit' })
process.exit(run.status ?? 1)
