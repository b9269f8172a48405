import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../../src/core/logging.js'
import { openRuntime, type Runtime } from '../../../src/services/runtime.js'
import { loadSettings } from '../../../src/services/settings.js'

let directory = ''
const opened: Runtime[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tickwire-registry-'))
})
afterEach(async () => {
  for (const runtime of opened.splice(0)) await runtime.close()
  rmSync(directory, { recursive: true, force: true })
})

async function open(): Promise<Runtime> {
  const settings = loadSettings({ environment: {}, given: { data_dir: directory } })
  const runtime = await openRuntime({ settings, service: 'test', logger: silentLogger })
  opened.push(runtime)
  return runtime
}

test('definitions are in the log before use, and another process reads the same ids', async () => {
  const first = await open()
  const listed = await first.registry.list('binance', [{ symbol: 'ETHUSDT', price_exponent: -4 }, { symbol: 'BTCUSDT' }])
  expect(listed.map((d) => d.id)).toEqual([0x100_0002, 0x100_0001])
  expect(await first.log.describe('market.crypto.reference_data.binance', 0)).toMatchObject({ endOffset: 2 })
  const second = await open()
  expect(second.registry.size).toBe(0)
  expect((await second.registry.resolve(0x100_0002))?.symbol).toBe('ETHUSDT')
  expect(second.instruments.size).toBe(2)
  expect(second.scaleOf(0x100_0002)).toEqual({ symbol: 'ETHUSDT', priceExponent: -4, sizeExponent: -8 })
  await second.registry.list('binance', [{ symbol: 'ADAUSDT' }])
  await first.registry.refresh(['binance'])
  expect(first.registry.find('binance', 'ADAUSDT')?.id).toBe(0x100_0003)
})

test('writers that race through one directory never share an id', async () => {
  const runtimes = await Promise.all([open(), open(), open()])
  const symbols = Array.from({ length: 30 }, (_, i) => `S${i}`)
  await Promise.all(
    runtimes.flatMap((r, k) => symbols.map((_, i) => r.registry.list('kraken', [{ symbol: `S${(i * 7 + k * 5) % 30}` }]))),
  )
  const check = await open()
  await check.registry.refresh(['kraken'])
  const all = check.registry.all('kraken')
  expect(all).toHaveLength(30)
  expect(new Set(all.map((d) => d.id)).size).toBe(30)
  for (const r of runtimes) for (const d of all) expect(r.registry.find('kraken', d.symbol)?.id ?? d.id).toBe(d.id)
})

test('a writer that is killed frees the lock', async () => {
  const lock = join(directory, '.registry-kraken.lock')
  const script = `const fs=require('fs');const m=require('./build/native/tickwire.node');const fd=fs.openSync(${JSON.stringify(lock)},'a');console.log(m.tryLockFile(fd));setInterval(()=>{},1000)`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said = await new Promise<string>((resolve) => child.stdout.once('data', (d: Buffer) => resolve(d.toString().trim())))
  expect(said).toBe('true')
  const runtime = await open()
  const listing = runtime.registry.list('kraken', [{ symbol: 'BTC-USD' }])
  child.kill('SIGKILL')
  expect((await listing)[0]?.id).toBe(0x500_0001)
})
