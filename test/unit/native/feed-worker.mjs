// Runs in a Worker: opens the addon by itself, starts a batcher and a feed, and keeps pushing until it is terminated.
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'

const addon = createRequire(import.meta.url)(workerData.addon)
const log = new addon.NativeLog(workerData.directory, {})
const instruments = new addon.NativeInstruments()
instruments.add(0x09000001, 'INFY', -4, 0)
const batcher = new addon.NativeBatcher({ log, instruments, recordsMax: 16 })
batcher.addRoute(9, 'tickers', workerData.topic)
batcher.start()
const feed = new addon.NativeFeed({
  batcher,
  venue: 'kite',
  exchange: 9,
  source: workerData.source,
  epoch: workerData.epoch,
  policy: 'drop',
  live: true,
})
feed.addInstrument(0x09000001, '', 408065)
feed.recordTo(`${workerData.directory}/${workerData.epoch}.twc`)
const frame = Buffer.from([0, 1, 0, 8, 0, 6, 0x3a, 1, 0, 2, 0x49, 0xf0])

function push() {
  for (let i = 0; i < 200; i++) feed.push(frame, 2)
  feed.tick()
  if (feed.stats().frames === 200) parentPort.postMessage('running')
  setImmediate(push)
}
push()
