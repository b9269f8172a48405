/**
 * Loads the addon. The only place that knows where it lies; the typed wrappers of its parts are the other files here.
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Where the package's own files (config, web page, layout) lie. */
export const packageRoot: string = root

function load(): Record<string, unknown> {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) {
    throw new Error(`tickwire runs on Linux x64 and arm64; this is ${process.platform} ${process.arch}`)
  }
  const file = join(root, 'build', 'native', 'tickwire.node')
  try {
    return require(file) as Record<string, unknown>
  } catch (error) {
    throw new Error(`the native engine is not built (${file}); run \`npm run build\` (or \`make build\`)`, { cause: error })
  }
}

/** The raw exports of the addon. Each file in this folder takes its part and gives it a type. */
export const addon: Record<string, unknown> = load()
