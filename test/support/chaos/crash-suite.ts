/** The crash suite's one test body, short in `make test` and long in `make chaos`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openLog } from '../../../src/log/index.js'
import { checkHistory } from '../history-checker.js'
import { crashRun } from './crash-run.js'

/** CHAOS_SEED repeats a run's kills (what each process is doing then is the machine's affair). */
export const chaosSeed = (fallback: number): number => Number(process.env.CHAOS_SEED ?? fallback)

export async function survives(kills: number, seed: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-crash-'))
  const startedMs = Date.now()
  try {
    const run = await crashRun(directory, kills, seed)
    const log = await openLog({ directory: join(directory, 'data'), readOnly: true })
    const { problems, counted } = await checkHistory(join(directory, 'data'), log, run.taps)
    await log.close()
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
    console.log(
      `crash suite: ${run.kills} kills ${JSON.stringify(run.killsByRole)}, seed ${seed}, ${seconds} s: ${JSON.stringify(counted)}`,
    )
    expect(problems, `CHAOS_SEED=${seed}`).toEqual([])
    expect(counted.acknowledged).toBeGreaterThan(0)
    expect(counted.deadLetters).toBeGreaterThan(0)
    expect(counted.bars).toBeGreaterThan(0)
  } catch (error) {
    console.error(`the crash suite failed: CHAOS_SEED=${seed}`)
    throw error
  } finally {
    if (process.env.CHAOS_KEEP !== '1') rmSync(directory, { recursive: true, force: true })
    else console.log(`kept ${directory}`)
  }
}
