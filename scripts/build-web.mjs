// Builds the page into dist/web: one script (charts included, nothing from a CDN), the style sheet, the document.
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(root, 'src', 'web')
const out = join(root, 'dist', 'web')
mkdirSync(out, { recursive: true })
const started = Date.now()
await build({
  entryPoints: [join(source, 'page.ts')],
  outfile: join(out, 'page.js'),
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'inline',
  tsconfigRaw: {},
  logLevel: 'error',
})
for (const file of ['index.html', 'style.css', 'icon.svg']) copyFileSync(join(source, file), join(out, file))
console.log(`page built in ${((Date.now() - started) / 1000).toFixed(1)} s (dist/web)`)
