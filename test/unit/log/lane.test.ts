import { expect, test } from 'vitest'
import { DiskFullError, PoisonRecordError, retryPolicies } from '../../../src/core/index.js'
import { SlabBatch } from '../../../src/log/batch.js'
import { Lane } from '../../../src/log/lane.js'
import { FakeClock, settle } from '../../support/fake-clock.js'

for (const ordered of [false, true]) {
  test(`a dead letter that cannot be written is tried again, and nothing is committed before (ordered: ${ordered})`, async () => {
    const clock = new FakeClock()
    const commits: number[] = []
    const errors: string[] = []
    let isFull = true
    const counters = {
      batches: 0,
      records: 0,
      failed: 0,
      retried: 0,
      deadLetters: 0,
      commits: 0,
      fenced: 0,
      handlerErrors: 0,
      holes: 0,
      undecodable: 0,
      redriven: 0,
    }
    const lane = new Lane('t', 0, 1, 0, {
      clock,
      random: () => 1,
      policies: retryPolicies,
      handler: async () => ({ failed: [{ index: 0, error: new PoisonRecordError('bad') }] }),
      ordered,
      retriesWaitingMax: 10,
      counters,
      state: { read: async () => undefined, write: async () => 'ok' as const } as never,
      commit: (offset) => {
        commits.push(offset)
        return 'ok'
      },
      free: () => {},
      bury: async () => {
        if (isFull) throw new DiskFullError('no room')
        return 'ok'
      },
      onError: (error) => void errors.push(String(error)),
      onFenced: () => {},
    })
    lane.start(Promise.resolve())
    await settle()
    const batch = new SlabBatch('t', 0, 0, 3, 'opaque', new Uint8Array(), new Uint8Array(), undefined)
    lane.push({ batch, generation: 1, freesCell: -1 })
    await settle()
    await clock.advance(5_000)
    expect(errors.length).toBeGreaterThan(1)
    expect(errors[0]).toContain('no room')
    expect(commits).toEqual([])
    isFull = false
    await clock.advance(5_000)
    expect(commits).toEqual([3])
    expect(counters.deadLetters).toBe(1)
    await lane.close()
  })
}
