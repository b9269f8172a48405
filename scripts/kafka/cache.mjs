// What is downloaded once and kept beside the project: $TICKWIRE_CACHE, else $XDG_CACHE_HOME/tickwire, else ~/.cache/tickwire.
// Any number of processes may ask for the same thing at once: each makes it in a directory of its own, the first rename stands.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const MARKER = 'complete'

const cacheDirectory = process.env.TICKWIRE_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tickwire')

const isComplete = (directory, stamp) => {
  const marker = join(directory, MARKER)
  return existsSync(marker) && readFileSync(marker, 'utf8') === stamp
}

/**
 * The directory `name` of the cache; `make(temporary)` fills it when it is missing or was made from another stamp.
 * A half-made directory is never seen: the marker is written last and the whole is renamed into place.
 */
export function cached(name, stamp, make) {
  const target = join(cacheDirectory, name)
  if (isComplete(target, stamp)) return target
  mkdirSync(cacheDirectory, { recursive: true })
  const temporary = mkdtempSync(join(cacheDirectory, `.${name}-`))
  try {
    make(temporary)
    writeFileSync(join(temporary, MARKER), stamp)
    try {
      renameSync(temporary, target)
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      if (!isComplete(target, stamp)) {
        // Made from an older stamp: it goes aside first, because a rename replaces no directory that holds something.
        renameSync(target, join(temporary, '.replaced'))
        renameSync(temporary, target)
        rmSync(join(target, '.replaced'), { recursive: true, force: true })
      }
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  return target
}
