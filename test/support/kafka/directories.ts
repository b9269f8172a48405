/**
 * Temporary directories of servers. Each carries its process's id in its name: what a killed run could not delete, the next one does.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PREFIX = 'tickwire-server'
const owned = new Set<string>()
let isSwept = false

export interface ServerDirectory {
  readonly path: string
  delete(): void
}

const remove = (path: string): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 })

function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${PREFIX}-[a-z]+-(\\d+)-`).exec(name)?.[1]
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) remove(join(tmpdir(), name))
  }
}

/** Deleted when asked, at the end of this process, or by a later one. */
export function serverDirectory(kind: 'broker' | 'cluster' | 'mirror' | 'registry'): ServerDirectory {
  if (!isSwept) {
    isSwept = true
    sweep()
    process.on('exit', () => {
      for (const path of owned) remove(path)
    })
  }
  const path = mkdtempSync(join(tmpdir(), `${PREFIX}-${kind}-${process.pid}-`))
  owned.add(path)
  return {
    path,
    delete: () => {
      remove(path)
      owned.delete(path)
    },
  }
}
