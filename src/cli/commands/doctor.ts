import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { makeDirectories } from '../../core/directories.js'
import { CheckFailedError, EnvironmentError, type PlatformError } from '../../core/errors.js'
import { packageRoot } from '../../native/addon.js'
import { layoutJson } from '../../native/model.js'
import { loadSettings } from '../../services/settings.js'
import { commandOf } from '../command.js'
import { kafkaFindings } from '../doctor-kafka.js'
import { type Finding, failed, ok, warning } from '../finding.js'
import type { Io } from '../io.js'
import { bytesText, formatOf, formatOption, rowsText } from '../output.js'
import { kafkaOption, registryOption } from '../topics-cluster.js'

const FREE_BYTES_MIN = 1 << 30

interface DoctorOptions {
  readonly config?: string
  readonly data?: string
  readonly kafka?: string
  readonly registry?: string
  readonly format?: string
}

export function doctorCommand(io: Io): Command {
  return commandOf('doctor', 'check that this machine can run tickwire, and what a cluster is like; exit 3 or 1 when it cannot', [
    'doctor',
    'doctor --data /var/lib/tickwire --format json',
    'doctor --kafka localhost:9092 --registry http://localhost:8081',
  ])
    .option('--config <file>', 'the configuration to check against')
    .option('--data <dir>', 'the data directory')
    .addOption(kafkaOption())
    .addOption(registryOption())
    .addOption(formatOption())
    .action(async (options: DoctorOptions) => {
      const settings = loadSettings({
        file: options.config,
        environment: io.environment,
        given: {
          ...(options.data === undefined ? {} : { data_dir: options.data }),
          kafka: { brokers: options.kafka, registry: { url: options.registry } },
        },
      })
      const here = [
        nodeVersion(),
        engine(),
        directory(resolve(settings.data_dir)),
        space(resolve(settings.data_dir)),
        clock(),
        page(),
        await port('stream.port', settings.stream.host, settings.stream.port),
        await port('http.port', settings.http.host, settings.http.port),
        tool('flatc', ['--version'], 'only needed to change record layouts (Debian: flatbuffers-compiler)'),
      ]
      const there = settings.kafka.brokers === undefined ? [] : await kafkaFindings(io, settings)
      await io.out(
        rowsText(
          [...here, ...there].map((f) => ({ ...f })),
          formatOf(io, options.format),
        ),
      )
      refuse(here, (message, fix) => new EnvironmentError(message, { fix }))
      refuse(there, (message, fix) => new CheckFailedError(message, { fix }))
    })
}

function refuse(findings: readonly Finding[], errorOf: (message: string, fix: string | undefined) => PlatformError): void {
  const bad = findings.filter((f) => f.status === 'failed')
  if (bad.length > 0) throw errorOf(`${bad.map((f) => f.check).join(', ')} failed`, bad[0]?.fix)
}

/** Lag and lateness are differences of receive times: machines need one time. */
function clock(): Finding {
  const run = spawnSync('timedatectl', ['show', '--property', 'NTPSynchronized', '--value'], { encoding: 'utf8', timeout: 5_000 })
  if (run.status !== 0) return ok('clock', 'whether it is synchronized is not told here: there is no timedatectl')
  return run.stdout.trim() === 'yes'
    ? ok('clock', 'synchronized')
    : warning('clock', 'not synchronized', 'run chrony or systemd-timesyncd')
}

function nodeVersion(): Finding {
  const { node } = process.versions
  return Number(node.split('.')[0]) >= 20 ? ok('node', node) : failed('node', node, 'install Node 20 or newer')
}

/** The addon is loaded by now, else this command would not run; its layout says that it answers. */
function engine(): Finding {
  const types = Object.keys((JSON.parse(layoutJson()) as { records: object }).records).length
  return ok('engine', `${process.platform} ${process.arch}, ${types} record types`)
}

function directory(path: string): Finding {
  const check = 'data directory'
  try {
    makeDirectories(path)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return ok(check, path)
  } catch (error) {
    return failed(check, (error as Error).message, 'choose one this user may write (--data, data_dir)')
  }
}

function space(path: string): Finding {
  const check = 'disk space'
  try {
    const { bavail, bsize } = statfsSync(existsSync(path) ? path : '.')
    const free = bavail * bsize
    const detail = `${bytesText(free)} free`
    return free >= FREE_BYTES_MIN ? ok(check, detail) : warning(check, detail, 'free space; segments are preallocated')
  } catch (error) {
    return warning(check, (error as Error).message, '')
  }
}

function page(): Finding {
  const isBuilt = existsSync(join(packageRoot, 'dist', 'web', 'index.html'))
  return isBuilt ? ok('page', 'dist/web') : warning('page', 'not built', 'npm run build:web')
}

function port(setting: string, host: string, number: number): Promise<Finding> {
  if (number === 0) return Promise.resolve(ok(setting, 'any free port'))
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) =>
      resolve(warning(setting, `${host}:${number}: ${error.message}`, `stop what uses it, or choose another ${setting}`)),
    )
    server.listen(number, host, () => server.close(() => resolve(ok(setting, `${host}:${number} is free`))))
  })
}

function tool(name: string, args: readonly string[], fix: string): Finding {
  const run = spawnSync(name, args, { encoding: 'utf8', timeout: 5_000 })
  return run.status === 0 ? ok(name, run.stdout.trim().slice(0, 60)) : warning(name, 'not found', fix)
}
