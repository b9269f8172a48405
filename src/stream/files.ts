/** The page's files, read once; the native thread serves them from memory. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { packageRoot } from '../native/addon.js'
import type { GatewayFile } from './types.js'

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
}

/** Where `node scripts/build-web.mjs` puts the page. */
export const pageDirectory = (): string => join(packageRoot, 'dist', 'web')

/** Files of a kind no browser page has are left out; a directory that is not there is no files. */
export function readPage(directory: string = pageDirectory()): GatewayFile[] {
  if (!existsSync(directory)) return []
  const files: GatewayFile[] = []
  for (const name of readdirSync(directory).sort()) {
    const type = mediaTypes[extname(name)]
    if (type !== undefined) files.push({ path: `/${name}`, type, body: readFileSync(join(directory, name)) })
  }
  return files
}
