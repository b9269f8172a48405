/** Starts session-worker.ts as processes. It is bundled once per run, beside the addon that it loads. */
import { fork } from 'node:child_process'
import type { SessionOrders, SessionReport } from './session-worker.js'
import { workerFile } from './worker-file.js'

export interface SessionProcess {
  readonly ready: Promise<void>
  /** Records replayed, bars in the log, or records read. Rejects with what went wrong there. */
  readonly done: Promise<number>
  /** Nothing more comes: work to the end of what there is. */
  end(): void
  kill(): void
}

export async function startSessionProcess(orders: SessionOrders): Promise<SessionProcess> {
  const child = fork(await workerFile('session-worker.ts'), [JSON.stringify(orders)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  })
  let isReady: () => void = () => {}
  const ready = new Promise<void>((resolve) => {
    isReady = resolve
  })
  const done = new Promise<number>((resolve, reject) => {
    child.on('message', (report: SessionReport) => {
      isReady()
      if (report.kind === 'done') resolve(report.records)
      else if (report.kind === 'error') reject(new Error(`${orders.role}: ${report.error}`))
    })
    child.once('exit', (code, signal) => reject(new Error(`${orders.role} ended early: ${code ?? signal}`)))
  })
  done.catch(() => isReady())
  return { ready, done, end: () => void child.send('end'), kill: () => void child.kill('SIGKILL') }
}
