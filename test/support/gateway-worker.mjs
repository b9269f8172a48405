// A gateway in a worker that is terminated while it runs. Plain JavaScript: a worker loads it without a compiler.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const addon = createRequire(import.meta.url)(join(root, 'build', 'native', 'tickwire.node'))
const gateway = new addon.NativeGateway(
  [new addon.NativeLog(workerData.directory, {})],
  new addon.NativeInstruments(),
  { port: 0, topics: [workerData.topic], instrumentWaitMs: 10 },
  () => undefined,
)
parentPort?.postMessage(gateway.start())
