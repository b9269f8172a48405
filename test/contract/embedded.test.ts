/** The contract, on the embedded engine. */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLog } from '../../src/log/index.js'
import { startLogProcess } from '../support/log-processes.js'
import { describeLogContract, type LogUnderTest } from './log.contract.js'

describeLogContract('embedded', async (options) => {
  const directory = await mkdtemp(join(tmpdir(), 'tickwire-contract-'))
  const log = await openLog({ directory, ...options })
  return {
    log,
    again: (more) => openLog({ directory, ...more }),
    start: (orders) => startLogProcess({ ...orders, place: { directory } }),
    replacedWithinMs: 1_000,
    flipBit: async (topic, partition) => {
      const folder = join(directory, 'topics', topic, String(partition))
      const name = (await readdir(folder)).find((each) => each.endsWith('.seg'))
      const file = await open(join(folder, name ?? ''), 'r+')
      // In the middle of a message that lies about in the middle of what was written.
      const at = 200_000
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
      await file.write(Buffer.from([(buffer[0] ?? 0) ^ 4]), 0, 1, at)
      await file.close()
    },
    keepHouse: () => log.keepHouse(),
    onFullDisk,
    end: async () => {
      await log.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
})

/** A tmpfs of 3 MB, filled but for about 1 MB by a file that makeRoom() removes. Needs root. */
async function onFullDisk(): ReturnType<NonNullable<LogUnderTest['onFullDisk']>> {
  const mounted = await mkdtemp(join(tmpdir(), 'tickwire-full-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', mounted], { stdio: 'ignore' })
  } catch {
    await rm(mounted, { recursive: true, force: true })
    return undefined
  }
  const ballast = join(mounted, 'ballast')
  await writeFile(ballast, Buffer.alloc(1 << 20))
  const directory = join(mounted, 'log')
  await mkdir(directory)
  const log = await openLog({ directory })
  return {
    log,
    makeRoom: () => rm(ballast),
    end: async () => {
      await log.close()
      execFileSync('umount', ['-l', mounted])
      await rm(mounted, { recursive: true, force: true })
    },
  }
}
