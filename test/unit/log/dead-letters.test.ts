import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { DiskFullError, LogBusyError } from '../../../src/core/index.js'
import { deadLetterTopic, type Log, openLog } from '../../../src/log/index.js'
import { tradeRun } from '../../support/batches.js'
import { until } from '../../support/until.js'

const TOPIC = 'market.crypto.trades.test'

it('a dead-letter topic that cannot be made yet is waited for', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-dlq-'))
  const log = await openLog({ directory })
  try {
    await log.ensureTopic({ name: TOPIC, partitions: 1 })
    await log.append(TOPIC, 0, { kind: 'batch', value: tradeRun(1, 3) })
    const ensureTopic = log.ensureTopic.bind(log)
    const refusals = [new DiskFullError('no room'), new LogBusyError('held')]
    const failing: Log['ensureTopic'] = async (options) => {
      const refusal = options.name === deadLetterTopic(TOPIC) ? refusals.shift() : undefined
      if (refusal !== undefined) throw refusal
      await ensureTopic(options)
    }
    Object.assign(log, { ensureTopic: failing })
    const errors: string[] = []
    const consumer = await log.consumer({
      group: 'g',
      topics: [TOPIC],
      handler: async () => ({ failed: [{ index: 1, error: new Error('poison') }] }),
      onError: (error) => void errors.push(String(error)),
    })
    await until('the dead letter is written and the batch committed', () => consumer.assigned[0]?.committed === 3)
    expect(errors).toEqual(['Error: the dead letter was refused: diskFull', 'Error: the dead letter was refused: busy'])
    expect((await log.describe(deadLetterTopic(TOPIC), 0))?.endOffset).toBe(1)
    await consumer.stop()
  } finally {
    await log.close()
    rmSync(directory, { recursive: true, force: true })
  }
})
