/** Making directories without Node's recursive mode, which never ends where the kernel refuses with ENOENT (under /proc). */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

export function makeDirectories(path: string): void {
  const full = resolve(path)
  if (existsSync(full)) {
    if (statSync(full).isDirectory()) return
    throw Object.assign(new Error(`${full} is a file, not a directory`), { code: 'ENOTDIR' })
  }
  const parent = dirname(full)
  if (parent !== full) makeDirectories(parent)
  try {
    mkdirSync(full)
  } catch (error) {
    // Another process was quicker.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
