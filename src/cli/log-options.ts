/** Which log a command works on: a data directory, or a Kafka cluster. Nothing is made where a log is only read. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { UsageError } from '../core/errors.js'
import { silentLogger } from '../core/logging.js'
import { openRuntime, type Runtime } from '../services/runtime.js'
import { loadSettings, type Settings } from '../services/settings.js'
import type { Io } from './io.js'

export interface LogOptions {
  readonly data?: string | undefined
  readonly kafka?: string | undefined
  readonly config?: string | undefined
}

export const clusterLogOption = (): Option =>
  new Option('--kafka <host:port>', 'the log of this Kafka cluster, in place of a directory')

export const configOption = (): Option =>
  new Option('--config <file>', 'the configuration file: where the log is, and how a cluster is reached')

export const withLogOptions = (command: Command): Command =>
  command.option('--data <dir>', 'the data directory (default ./data)').addOption(clusterLogOption()).addOption(configOption())

/** What was typed goes before file and environment: a directory alone is meant, whatever KAFKA_BOOTSTRAP_SERVERS says. */
export function logSettings(io: Io, { data, kafka, config }: LogOptions): Settings {
  const settings = loadSettings({
    file: config,
    environment: io.environment,
    given: { ...(data === undefined ? {} : { data_dir: data }), kafka: { brokers: kafka } },
  })
  return {
    ...settings,
    kafka: data === undefined || kafka !== undefined ? settings.kafka : { ...settings.kafka, brokers: undefined },
    // No feed runs here: definitions are read where the records are.
    ingestion: { ...settings.ingestion, feeds: [] },
  }
}

/** Opens a log to look at: nothing in it is changed. */
export const openToRead = (io: Io, options: LogOptions): Promise<Runtime> => open(io, options, true)

export const openToWrite = (io: Io, options: LogOptions): Promise<Runtime> => open(io, options, false)

/** A command that makes nothing leaves nothing behind where there is no log. */
function requireData(data: string): void {
  if (existsSync(join(data, 'log.json'))) return
  throw new UsageError(
    existsSync(data) ? `${resolve(data)} is not a data directory` : `there is no data directory ${resolve(data)}`,
    {
      field: '--data',
      fix: 'give the directory that `up`, `run` or `replay` wrote, or a cluster with --kafka',
    },
  )
}

/** For messages: the directory, or the brokers. */
export const logPlace = ({ settings, directory }: Runtime): string => settings.kafka.brokers ?? directory

async function open(io: Io, options: LogOptions, isReadOnly: boolean): Promise<Runtime> {
  if (options.data !== undefined && options.kafka !== undefined)
    throw new UsageError('a directory and a cluster are two logs', { field: '--kafka', fix: 'name one of them' })
  const settings = logSettings(io, options)
  const usesCluster = settings.kafka.brokers !== undefined
  if (!usesCluster) requireData(settings.data_dir)
  return await openRuntime({
    settings,
    service: 'cli',
    // On a cluster no directory is needed, so none is made.
    readOnly: isReadOnly || usesCluster,
    environment: io.environment,
    logger: silentLogger,
    clock: io.clock,
  })
}
