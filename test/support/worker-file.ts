/** Bundles a worker of the tests, so that it starts as fast as the product does. */
import { join } from 'node:path'
import { build } from 'esbuild'
import { packageRoot } from '../../src/native/addon.js'

const bundled = new Map<string, Promise<string>>()

/** `entry` is below test/support. Bundled once in a process. */
export function workerFile(entry: string): Promise<string> {
  const known = bundled.get(entry)
  if (known !== undefined) return known
  // Two folders below the root, as src/native/addon.ts expects of itself.
  const outfile = join(
    packageRoot,
    'build',
    'test-support',
    `${entry.replaceAll('/', '-').replace('.ts', '')}-${process.pid}.mjs`,
  )
  const made = build({
    entryPoints: [join(packageRoot, 'test', 'support', entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'silent',
  }).then(() => outfile)
  bundled.set(entry, made)
  return made
}
