import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { makeDirectories } from '../../core/directories.js'
import { EnvironmentError } from '../../core/errors.js'
import { packageRoot } from '../../native/addon.js'
import { layoutJson } from '../../native/model.js'
import { loadSettings } from '../../services/settings.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { bytesText, formatOf, formatOption, rowsText } from '../output.js'

interface Finding {
  readonly check: string
  readonly status: 'ok' | 'warning' | 'failed'
  readonly detail: string
  readonly fix: string
}

const FREE_BYTES_MIN = 1 << 30

export function doctorCommand(io: Io): Command {
  return commandOf('doctor', 'check that this machine can run tickwire; exit 3 when it cannot', [
    'doctor',
    'doctor --data /var/lib/tickwire --format json',
  ])
    .option('--config <file>', 'the configuration to check against')
    .option('--data <dir>', 'the data directory')
    .addOption(formatOption())
    .action(async (options: { config?: string; data?: string; format?: string }) => {
      const settings = loadSettings({
        file: options.config,
        environment: io.environment,
        ...(options.data === undefined ? {} : { given: { data_dir: options.data } }),
      })
      const findings = [
        nodeVersion(),
        engine(),
        directory(resolve(settings.data_dir)),
        space(resolve(settings.data_dir)),
        page(),
        await port('stream.port', settings.stream.host, settings.stream.port),
        await port('http.port', settings.http.host, settings.http.port),
        tool('flatc', ['--version'], 'only needed to change record layouts (Debian: flatbuffers-compiler)'),
      ]
      await io.out(
        rowsText(
          findings.map((f) => ({ ...f })),
          formatOf(io, options.format),
        ),
      )
      const failed = findings.filter((f) => f.status === 'failed')
      if (failed.length > 0)
        throw new EnvironmentError(`${failed.map((f) => f.check).join(', ')} failed`, { fix: failed[0]?.fix })
    })
}

function nodeVersion(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  return {
    check: 'node',
    status: major >= 20 ? 'ok' : 'failed',
    detail: process.versions.node,
    fix: major >= 20 ? '' : 'install Node 20 or newer',
  }
}

/** The addon is loaded by now, else this command would not run; its layout says that it answers. */
function engine(): Finding {
  const types = Object.keys((JSON.parse(layoutJson()) as { records: object }).records).length
  return { check: 'engine', status: 'ok', detail: `${process.platform} ${process.arch}, ${types} record types`, fix: '' }
}

function directory(path: string): Finding {
  try {
    makeDirectories(path)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return { check: 'data directory', status: 'ok', detail: path, fix: '' }
  } catch (error) {
    return {
      check: 'data directory',
      status: 'failed',
      detail: (error as Error).message,
      fix: 'choose one this user may write (--data, data_dir)',
    }
  }
}

function space(path: string): Finding {
  try {
    const { bavail, bsize } = statfsSync(existsSync(path) ? path : '.')
    const free = bavail * bsize
    const status = free >= FREE_BYTES_MIN ? 'ok' : 'warning'
    return {
      check: 'disk space',
      status,
      detail: `${bytesText(free)} free`,
      fix: status === 'ok' ? '' : 'free space; segments are preallocated',
    }
  } catch (error) {
    return { check: 'disk space', status: 'warning', detail: (error as Error).message, fix: '' }
  }
}

function page(): Finding {
  const found = existsSync(join(packageRoot, 'dist', 'web', 'index.html'))
  return {
    check: 'page',
    status: found ? 'ok' : 'warning',
    detail: found ? 'dist/web' : 'not built',
    fix: found ? '' : 'npm run build:web',
  }
}

function port(setting: string, host: string, number: number): Promise<Finding> {
  if (number === 0) return Promise.resolve({ check: setting, status: 'ok', detail: 'any free port', fix: '' })
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) =>
      resolve({
        check: setting,
        status: 'warning',
        detail: `${host}:${number}: ${error.message}`,
        fix: `stop what uses it, or choose another ${setting}`,
      }),
    )
    server.listen(number, host, () =>
      server.close(() => resolve({ check: setting, status: 'ok', detail: `${host}:${number} is free`, fix: '' })),
    )
  })
}

function tool(name: string, args: readonly string[], fix: string): Finding {
  const run = spawnSync(name, args, { encoding: 'utf8', timeout: 5_000 })
  return run.status === 0
    ? { check: name, status: 'ok', detail: run.stdout.trim().slice(0, 60), fix: '' }
    : { check: name, status: 'warning', detail: 'not found', fix }
}
