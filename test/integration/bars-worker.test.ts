/** A Worker that is terminated over a running processor: its thread is joined, the process lives. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { packageRoot } from '../../src/native/addon.js'
import { nativeBarOptions } from '../../src/processors/bars/options.js'

const code = `
const { workerData, parentPort } = require('node:worker_threads')
const addon = require(workerData.addon)
const log = new addon.NativeLog(workerData.directory, {})
log.ensureTopic({ name: 'in', partitions: 2 })
const bars = new addon.NativeBars(log, { ...workerData.options, name: 'bars', inputs: ['in'], output: 'out', group: '' })
const refused = bars.start()
parentPort.postMessage(refused)
setInterval(() => bars.stats(), 10)
`

it('ends twenty Workers over a running thread', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-bars-'))
  const workerData = { addon: join(packageRoot, 'build/native/tickwire.node'), directory, options: nativeBarOptions({}) }
  for (let i = 0; i < 20; i++) {
    const worker = new Worker(code, { eval: true, workerData })
    expect(await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))).toBe('')
    await worker.terminate()
  }
  rmSync(directory, { recursive: true, force: true })
})
