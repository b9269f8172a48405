import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { silentLogger } from '../../../src/core/logging.js'
import { openFeedSession } from '../../../src/services/feed-session.js'
import { openRuntime } from '../../../src/services/runtime.js'
import { loadSettings } from '../../../src/services/settings.js'

test('shards of one source that open at once have epochs of their own, above the earlier ones', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-session-'))
  const settings = loadSettings({ environment: {}, given: { data_dir: directory } })
  const open = () => openRuntime({ settings, service: 'test', logger: silentLogger })
  const runtimes = await Promise.all([open(), open(), open(), open()])
  try {
    const sessions = () => runtimes.map((runtime, shard) => openFeedSession(runtime, { exchange: 'binance', source: 0, shard }))
    const first = await Promise.all(sessions())
    const second = await Promise.all(sessions())
    expect(new Set([...first, ...second]).size).toBe(8)
    expect(Math.min(...second)).toBeGreaterThan(Math.max(...first))
  } finally {
    for (const runtime of runtimes) await runtime.close()
    rmSync(directory, { recursive: true, force: true })
  }
})
