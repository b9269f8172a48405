/** The checker finds what it is there to find: each kind of lie in a tap is a problem, the true history is none. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Log, openLog } from '../../src/log/index.js'
import { crashRun } from '../support/chaos/crash-run.js'
import type { TapLine } from '../support/chaos/orders.js'
import { checkHistory } from '../support/history-checker.js'

describe('history checker', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-history-'))
  const data = join(directory, 'data')
  let taps: readonly (readonly TapLine[])[]
  let log: Log
  beforeAll(async () => {
    taps = (await crashRun(directory, 3, 7)).taps
    log = await openLog({ directory: data, readOnly: true })
  }, 120_000)
  afterAll(async () => {
    await log.close()
    rmSync(directory, { recursive: true, force: true })
  })

  /** Problems when the first line of a kind, in the tap that holds one, is changed or left out. */
  const lied = async <K extends TapLine['k']>(
    kind: K,
    change: (line: Extract<TapLine, { k: K }>) => TapLine | undefined,
    which = 0,
  ): Promise<readonly string[]> => {
    let seen = 0
    const changed = taps.map((lines) =>
      lines.flatMap((line) => {
        if (line.k !== kind || seen++ !== which) return [line]
        const instead = change(line as Extract<TapLine, { k: K }>)
        return instead === undefined ? [] : [instead]
      }),
    )
    expect(seen).toBeGreaterThan(which)
    return (await checkHistory(data, log, changed)).problems
  }

  it('has nothing to say about the true history', async () => {
    const { problems, counted } = await checkHistory(data, log, taps)
    expect(problems).toEqual([])
    expect(counted.delivered).toBeGreaterThan(100)
  })

  it('finds what was acknowledged and is not there, is not what was produced, or nobody produced', async () => {
    const more = await lied('burst', (line) => {
      const last = line.rows.at(-1)
      return last === undefined ? line : { ...line, rows: [...line.rows, [0xffffff, 1, 1, 1, 1] as const] }
    })
    expect(more.join()).toMatch(/acknowledged up to 1, the log holds up to 0/)
    const other = await lied('burst', (line) => ({
      ...line,
      rows: line.rows.map(([i, s, t, p, q]) => [i, s, t, p + 1, q] as const),
    }))
    expect(other.join()).toMatch(/is not what was produced/)
    expect((await lied('burst', () => undefined)).join()).toMatch(/is not what was produced|nobody produced/)
  })

  it('finds a hole, a repeat of what was committed, and a record that was skipped', async () => {
    expect((await lied('batch', () => undefined, 5)).join()).toMatch(/was next|never delivered/)
    const again: TapLine[] = [
      { k: 'committed', partition: 0, generation: 998, offset: 10 },
      { k: 'assigned', partition: 0, generation: 999, offset: 0 },
    ]
    expect((await checkHistory(data, log, [...taps, again])).problems.join()).toMatch(/repeats it/)
    expect((await lied('assigned', (line) => ({ ...line, offset: line.offset + 50 }))).join()).toMatch(/was never done/)
    expect((await lied('retried', () => undefined)).join()).toMatch(/never tried again|was never done/)
    expect((await lied('session', (line) => ({ ...line, epoch: 0 }))).join()).toMatch(/again/)
  })
})
