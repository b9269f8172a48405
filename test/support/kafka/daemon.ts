/**
 * A server as a child process: its output in a file, ended by pid, never outliving us. `setpriv --pdeathsig` makes the kernel kill it even
 * when this process is killed and can run no handler.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { until } from '../until.js'

/** A drain that takes longer than this is ended: the last node of a cluster has no quorum and would wait for ever. */
const DRAIN_MS_MAX = 10_000
const TAIL_LINES = 25

const running = new Set<Daemon>()
process.on('exit', () => {
  for (const daemon of running) daemon.signal('SIGKILL')
})

export interface DaemonOptions {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  readonly logFile: string
  readonly cwd?: string
}

export class Daemon {
  readonly #child: ChildProcess
  readonly #exited: Promise<void>

  constructor(readonly options: DaemonOptions) {
    const log = openSync(options.logFile, 'a')
    try {
      this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', options.program, ...options.args], {
        stdio: ['ignore', log, log],
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      })
    } finally {
      closeSync(log)
    }
    running.add(this)
    this.#exited = new Promise((resolve) => {
      const gone = (): void => {
        running.delete(this)
        resolve()
      }
      this.#child.once('exit', gone)
      this.#child.once('error', gone)
    })
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  get alive(): boolean {
    return running.has(this)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** SIGKILL, whatever state it is in; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.alive) this.signal('SIGKILL')
    await this.#exited
  }

  /** SIGTERM, and SIGKILL when that takes too long. */
  async drain(): Promise<void> {
    if (this.alive) this.signal('SIGTERM')
    const late = setTimeout(() => this.signal('SIGKILL'), DRAIN_MS_MAX)
    await this.#exited
    clearTimeout(late)
  }

  /** Waits for a condition while the process lives; what it last wrote is in the error when it does not come true. */
  async ready(what: string, condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
    try {
      await until(
        `${this.options.name}: ${what}`,
        async () => {
          if (!this.alive) throw new Error(`${this.options.name} ended during its start`)
          return condition()
        },
        timeoutMs,
      )
    } catch (error) {
      await this.kill()
      throw new Error(`${error instanceof Error ? error.message : error}\nthe end of its log:\n${this.logTail()}`)
    }
  }

  logTail(): string {
    if (!existsSync(this.options.logFile)) return '(no log)'
    return readFileSync(this.options.logFile, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n')
  }
}

export const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
