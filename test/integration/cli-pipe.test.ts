/** A reader that goes away ends a command quietly: `tickwire decode … | head`. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, expect, it } from 'vitest'

const directory = mkdtempSync(join(tmpdir(), 'tickwire-pipe-'))
// Two folders below the root, where the addon's path is counted from.
const command = join(process.cwd(), 'build', 'test-cli', `main-${process.pid}.mjs`)
afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
  rmSync(command, { force: true })
})

it('does not throw when the pipe closes', async () => {
  await build({
    entryPoints: ['src/main.ts'],
    outfile: command,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  })
  // One Kite frame of 60,000 price packets: far more text than a pipe holds.
  const packets = 60_000
  const frame = Buffer.alloc(2 + packets * 10)
  frame.writeUInt16BE(packets, 0)
  for (let i = 0; i < packets; i++) {
    frame.writeUInt16BE(8, 2 + i * 10)
    frame.writeUInt32BE(408065, 4 + i * 10)
    frame.writeUInt32BE(129905, 8 + i * 10)
  }
  const file = join(directory, 'frame.bin')
  writeFileSync(file, frame)
  const run = spawnSync('sh', ['-c', `'${process.execPath}' '${command}' decode kite '${file}' | head -n 1; true`], {
    encoding: 'utf8',
  })
  expect(run.stderr).toBe('')
  expect(run.stdout).toContain('408065')
  expect(run.stderr).toBe('')
})
