/**
 * One Kafka node, broker and controller in one process on loopback. Its directory outlives its process: kill it, start it again, wipe it.
 * Heap and cleaner buffer are what a node needs for a thousand partitions; with less it does not stop but limps, so it ends at once when
 * memory runs out.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { answers, Daemon } from './daemon.js'
import { kafkaClasses } from './dist.js'
import { formatProperties, type Properties } from './properties.js'

const START_MS_MAX = 60_000
/** Only the first compiler: a test's broker lives for seconds. */
const QUICK = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const MEMORY = ['-Xmx512m', '-XX:+ExitOnOutOfMemoryError']
/** Nodes that shall meet are formatted with one id. */
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qg'

export interface NodeOptions {
  readonly id: number
  readonly port: number
  /** The node's own: properties, log of the process, log directory. */
  readonly directory: string
  readonly properties: Properties
  /** What `StorageTool format` is given besides the id and the properties. */
  readonly format: readonly string[]
  /** Flags after ours, so they win: a benchmark wants the second compiler and another collector. */
  readonly jvm?: readonly string[]
}

export class KafkaNode {
  readonly id: number
  readonly port: number
  readonly logDirectory: string
  readonly #options: NodeOptions
  readonly #propertiesFile: string
  #daemon: Daemon | undefined

  constructor(options: NodeOptions) {
    this.#options = options
    this.id = options.id
    this.port = options.port
    this.logDirectory = join(options.directory, 'log')
    this.#propertiesFile = join(options.directory, 'server.properties')
    mkdirSync(options.directory, { recursive: true })
    writeFileSync(this.#propertiesFile, formatProperties({ ...options.properties, 'log.dirs': this.logDirectory }))
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.#daemon?.pid ?? -1
  }

  get alive(): boolean {
    return this.#daemon?.alive ?? false
  }

  /** Formats its log directory when it is new or wiped, starts, and waits until it takes requests. */
  async start(): Promise<void> {
    if (this.alive) throw new Error(`node ${this.id} runs`)
    if (!existsSync(join(this.logDirectory, 'meta.properties'))) await this.#format()
    const java = [await kafkaClasses(), ...QUICK, ...MEMORY, ...(this.#options.jvm ?? [])]
    this.#daemon = new Daemon({
      name: `Kafka node ${this.id}`,
      program: 'java',
      args: [...java, 'kafka.Kafka', this.#propertiesFile],
      logFile: join(this.#options.directory, 'server.log'),
    })
    // A broker opens its port when it takes requests.
    await this.#daemon.ready(`its port ${this.port} to open`, () => answers(this.port), START_MS_MAX)
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#daemon?.kill()
  }

  /** SIGTERM: hands its leaderships over, then ends. */
  async shutdown(): Promise<void> {
    await this.#daemon?.drain()
  }

  /** Ends it gracefully when it runs, and starts it with the directory it had. */
  async restart(): Promise<void> {
    await this.shutdown()
    await this.start()
  }

  signal(signal: NodeJS.Signals): void {
    this.#daemon?.signal(signal)
  }

  /** SIGSTOP: the process and its connections stay, nothing answers. */
  pause(): void {
    this.signal('SIGSTOP')
  }

  /** SIGCONT. */
  resume(): void {
    this.signal('SIGCONT')
  }

  /** An empty log directory at the next start, as after a lost disk. The node must not run. */
  wipe(): void {
    if (this.alive) throw new Error(`node ${this.id} runs: kill it before its directory is wiped`)
    rmSync(this.logDirectory, { recursive: true, force: true })
  }

  /** The last lines of what the process wrote. */
  logTail(): string {
    return this.#daemon?.logTail() ?? '(never started)'
  }

  async #format(): Promise<void> {
    const tool = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', this.#propertiesFile, ...this.#options.format]
    await promisify(execFile)('java', [await kafkaClasses(), ...QUICK, ...tool])
  }
}
