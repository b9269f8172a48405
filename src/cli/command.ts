/** What the commands share: how one is made, and opening a data directory. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { UsageError } from '../core/errors.js'
import { silentLogger } from '../core/logging.js'
import { openRuntime, type Runtime } from '../services/runtime.js'
import { loadSettings } from '../services/settings.js'
import type { Io } from './io.js'

/** A command with its examples under the help: what follows `tickwire`, or a whole line that begins with a variable. */
export function commandOf(name: string, description: string, examples: readonly string[]): Command {
  return new Command(name)
    .description(description)
    .addHelpText('after', `\nExamples:\n${examples.map((e) => `  $ ${/^[A-Z_]+=/.test(e) ? e : `tickwire ${e}`}\n`).join('')}`)
}

/** Opens a data directory to look at: nothing in it is changed. */
export function openToRead(io: Io, data: string): Promise<Runtime> {
  return open(io, data, true)
}

export function openToWrite(io: Io, data: string): Promise<Runtime> {
  return open(io, data, false)
}

/** A command that makes nothing leaves nothing behind where there is no log. */
export function requireData(data: string): void {
  if (existsSync(join(data, 'log.json'))) return
  throw new UsageError(
    existsSync(data) ? `${resolve(data)} is not a data directory` : `there is no data directory ${resolve(data)}`,
    {
      field: '--data',
      fix: 'give the directory that `up`, `run` or `replay` wrote',
    },
  )
}

function open(io: Io, data: string, readOnly: boolean): Promise<Runtime> {
  if (readOnly) requireData(data)
  const settings = loadSettings({ environment: io.environment, given: { data_dir: data } })
  return openRuntime({ settings, service: 'cli', readOnly, logger: silentLogger, clock: io.clock })
}
