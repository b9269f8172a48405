import { expect, it } from 'vitest'
import { createBarFold } from '../../../../src/processors/bars/index.js'
import { tradeRecords } from '../../../support/batches.js'

it('takes records that stand in shared memory, as those of a log do', () => {
  const second = 1_000_000_000n
  const records = tradeRecords([1, 2, 3, 4, 5, 6].map((seq) => ({ seq, tsRecv: 1_700_000_000n * second + BigInt(seq) * second })))
  const shared = new Uint8Array(new SharedArrayBuffer(records.length))
  shared.set(records)
  const bars = createBarFold({ intervals: ['1s'], latenessMs: 0 }).push(shared, 0)
  expect(bars.length).toBeGreaterThan(0)
  expect(bars).toEqual(createBarFold({ intervals: ['1s'], latenessMs: 0 }).push(records, 0))
})
