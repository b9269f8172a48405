/** Starts session-worker.ts as processes. It is bundled once per run, beside the addon that it loads. */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { build } from 'esbuild'
import { packageRoot } from '../../src/native/addon.js'
import type { SessionOrders, SessionReport } from './session-worker.js'

let bundled: Promise<string> | undefined

/** The bundle lies two folders below the root, as src/native/addon.ts expects of itself. */
function workerFile(): Promise<string> {
  bundled ??= (async () => {
    const outfile = join(packageRoot, 'build', 'test-support', `session-worker-${process.pid}.mjs`)
    await build({
      entryPoints: [join(packageRoot, 'test', 'support', 'session-worker.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      logLevel: 'silent',
    })
    return outfile
  })()
  return bundled
}

export interface SessionProcess {
  readonly ready: Promise<void>
  /** Records replayed, bars in the log, or records read. Rejects with what went wrong there. */
  readonly done: Promise<number>
  /** Nothing more comes: work to the end of what there is. */
  end(): void
  kill(): void
}

export async function startSessionProcess(orders: SessionOrders): Promise<SessionProcess> {
  const child = fork(await workerFile(), [JSON.stringify(orders)], {
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
