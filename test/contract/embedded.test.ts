/** The contract, on the embedded engine. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLog } from '../../src/log/index.js'
import { startLogProcess } from '../support/log-processes.js'
import { describeLogContract } from './log.contract.js'

describeLogContract('embedded', async (options) => {
  const directory = await mkdtemp(join(tmpdir(), 'tickwire-contract-'))
  const log = await openLog({ directory, ...options })
  return {
    log,
    again: (more) => openLog({ directory, ...more }),
    start: (orders) => startLogProcess({ ...orders, directory }),
    end: async () => {
      await log.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
})
