// Lists the native sources for binding.gyp, which rebuilds only when one of its inputs is newer.
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const files = readdirSync(join(root, 'native'), { recursive: true }).filter((file) => /\.(cc|h)$/.test(file))
console.log(
  files
    .map((file) => `native/${file}`)
    .toSorted()
    .join('\n'),
)
