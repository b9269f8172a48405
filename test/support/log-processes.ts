/** Starts log-worker.ts as processes or worker threads. It is bundled once per run, beside the addon that it loads. */
import { type ChildProcess, fork } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import type { Orders, Report } from './log-worker.js'
import { workerFile } from './worker-file.js'

export const logWorkerFile = (): Promise<string> => workerFile('log-worker.ts')

export interface LogProcess {
  readonly child: ChildProcess
  readonly reports: Report[]
  /** Reports of one kind. */
  of<K extends Report['kind']>(kind: K): Extract<Report, { kind: K }>[]
  order(order: 'go' | 'stop'): void
  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  readonly exited: Promise<void>
}

export async function startLogProcess(orders: Orders): Promise<LogProcess> {
  const child = fork(await logWorkerFile(), [JSON.stringify(orders)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  })
  const reports: Report[] = []
  child.on('message', (message) => void reports.push(message as Report))
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
  })
  return {
    child,
    reports,
    of: <K extends Report['kind']>(kind: K) => reports.filter((each): each is Extract<Report, { kind: K }> => each.kind === kind),
    order: (order) => void (child.connected && child.send(order)),
    kill: (signal) => void child.kill(signal),
    exited,
  }
}

export async function startLogThread(orders: Orders): Promise<Worker> {
  return new Worker(await logWorkerFile(), { workerData: orders })
}
