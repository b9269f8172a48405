/** Recorded market data beside the repository, if it is there. Tests that need it say aloud when it is not. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/native/addon.js'

const root = process.env.TW_SHARED_DATA ?? join(packageRoot, '..', 'shared', 'data')

/** The path of a file or folder of the recordings, or undefined. */
export function sharedData(path: string): string | undefined {
  const full = join(root, path)
  if (existsSync(full)) return full
  console.warn(`SKIPPED: recorded data ${path} is not here (TW_SHARED_DATA or ../shared/data)`)
  return undefined
}
