/** A batch that this build cannot read: dead, counted, and the partition goes on. The embedded log takes none, so the lane is given one. */
import { expect, test } from 'vitest'
import { retryPolicies } from '../../../src/core/index.js'
import { SlabBatch } from '../../../src/log/batch.js'
import { newCounters } from '../../../src/log/consumer.js'
import { Lane } from '../../../src/log/lane.js'
import { tradeRun } from '../../support/batches.js'
import { FakeClock, settle } from '../../support/fake-clock.js'

/** Kafka's way to count: one offset a message, however many records it holds. */
const message = (offset: number, value: Uint8Array, kind: 'batch' | 'opaque' = 'batch'): SlabBatch =>
  new SlabBatch('t', 0, offset, 1, kind, value, new Uint8Array(), undefined)

for (const ordered of [false, true]) {
  test(`the handler does not see it, and what is behind it is handled (ordered: ${ordered})`, async () => {
    const counters = newCounters()
    const handled: number[] = []
    const buried: [number, string][] = []
    const commits: number[] = []
    const lane = new Lane('t', 0, 1, 0, {
      clock: new FakeClock(),
      random: () => 1,
      policies: retryPolicies,
      handler: async (batch) => {
        handled.push(batch.offset)
        return batch.offset === 2 ? { failed: [{ index: 4, error: new Error('poison') }] } : undefined
      },
      ordered,
      retriesWaitingMax: 10,
      counters,
      state: { save: async () => 'ok' as const, load: async () => undefined },
      commit: (offset) => {
        commits.push(offset)
        return 'ok'
      },
      free: () => {},
      bury: async (batch, _index, error) => {
        buried.push([batch.offset, String(error)])
        return 'ok'
      },
      onError: () => {},
      onFenced: () => {},
    })
    lane.start(Promise.resolve())
    const messages = [message(0, tradeRun(1, 5)), message(1, new Uint8Array(40).fill(7)), message(2, tradeRun(6, 5))]
    for (const batch of [...messages, message(3, new Uint8Array(3), 'opaque')]) {
      lane.push({ batch, generation: 1, freesCell: -1 })
    }
    await settle()
    expect(handled).toEqual([0, 2, 3])
    expect(buried).toEqual([
      [1, expect.stringContaining('the batch cannot be read: the file identifier is not TWB1')],
      [2, 'Error: poison'],
    ])
    expect(counters).toMatchObject({ batches: 4, records: 12, undecodable: 1, deadLetters: 2, failed: 2 })
    expect(commits.at(-1)).toBe(4)
    await lane.close()
  })
}
