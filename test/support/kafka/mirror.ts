/**
 * MirrorMaker 2 between two clusters, with the settings that the project ships: only addresses, copies (the target is one node) and how often
 * it looks are the test's. Its positions stand on the target, so one that was killed goes on.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/native/addon.js'
import { Daemon } from './daemon.js'
import { type ServerDirectory, serverDirectory } from './directories.js'
import { kafkaClasses } from './dist.js'
import { formatProperties, type Properties, parseProperties } from './properties.js'

const MEMORY = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:+ExitOnOutOfMemoryError']
/** A test does not wait half a minute for a topic to be seen, and has hundreds of messages. */
const QUICK: Properties = {
  'refresh.topics.interval.seconds': '1',
  'refresh.groups.interval.seconds': '1',
  'emit.checkpoints.interval.seconds': '1',
  'sync.group.offsets.interval.seconds': '1',
  'offset.lag.max': '10',
}
/** It starts a worker and three connectors, each with clients of its own. */
const WAIT_MS_MAX = 90_000

const templateFile = join(packageRoot, 'config', 'deploy', 'mirror', 'mm2.properties')

/** Of a target with one node. */
function alone(template: Properties): Properties {
  return Object.fromEntries(Object.keys(template).flatMap((name) => (name.endsWith('replication.factor') ? [[name, '1']] : [])))
}

export interface MirrorOptions {
  /** Bootstrap addresses. */
  readonly source: string
  readonly target: string
  /** Over the shipped ones. */
  readonly properties?: Properties
}

export class Mirror {
  readonly #directory: ServerDirectory
  readonly #propertiesFile: string
  #daemon: Daemon | undefined

  constructor({ source, target, properties }: MirrorOptions) {
    this.#directory = serverDirectory('mirror')
    this.#propertiesFile = join(this.#directory.path, 'mm2.properties')
    const template = parseProperties(readFileSync(templateFile, 'utf8'))
    const places = { 'source.bootstrap.servers': source, 'target.bootstrap.servers': target }
    const all = { ...template, ...alone(template), ...QUICK, ...places, ...properties }
    writeFileSync(this.#propertiesFile, formatProperties(all))
  }

  get pid(): number {
    return this.#daemon?.pid ?? -1
  }

  /** Returns at once: what it copies shows when it is up. */
  async start(): Promise<void> {
    if (this.#daemon?.alive === true) throw new Error('MirrorMaker runs')
    const program = ['org.apache.kafka.connect.mirror.MirrorMaker', this.#propertiesFile]
    this.#daemon = new Daemon({
      name: 'MirrorMaker',
      program: 'java',
      args: [await kafkaClasses(), ...MEMORY, ...program],
      logFile: join(this.#directory.path, 'mirror.log'),
    })
  }

  /** Waits for what it should bring about; the end of its log is in the error when that does not come. */
  async brings(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = WAIT_MS_MAX): Promise<void> {
    if (this.#daemon === undefined) throw new Error('MirrorMaker was not started')
    await this.#daemon.ready(what, condition, timeoutMs)
  }

  /** SIGKILL: what it had copied and not noted is copied again by the next start. */
  async kill(): Promise<void> {
    await this.#daemon?.kill()
  }

  /** Ends it and deletes its directory. */
  async stop(): Promise<void> {
    await this.#daemon?.drain()
    this.#directory.delete()
  }
}
