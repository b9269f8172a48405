import { describe, expect, it } from 'vitest'
import { Dedup } from '../../../src/log/dedup.js'
import { BatchView } from '../../../src/wire/index.js'
import { tradeBatch } from '../../support/batches.js'

const accepted = (dedup: Dedup, trades: Parameters<typeof tradeBatch>[0]): boolean[] => {
  const view = new BatchView(tradeBatch(trades))
  return trades.map((_, i) => dedup.accept(view, i))
}

describe('dedup', () => {
  it('drops what is not above the last accepted (epoch, seq) of its stream', () => {
    const dedup = new Dedup()
    expect(accepted(dedup, [{ seq: 1 }, { seq: 2 }, { seq: 2 }, { seq: 1 }, { seq: 5 }])).toEqual([
      true,
      true,
      false,
      false,
      true,
    ])
    expect(accepted(dedup, [{ seq: 5 }, { seq: 6 }])).toEqual([false, true])
  })

  it('a higher epoch starts again, a lower one is dropped', () => {
    const dedup = new Dedup()
    const trades = [
      { epoch: 100, seq: 9 },
      { epoch: 101, seq: 1 },
      { epoch: 100, seq: 10 },
      { epoch: 101, seq: 2 },
    ]
    expect(accepted(dedup, trades)).toEqual([true, true, false, true])
  })

  it('streams do not touch each other', () => {
    const dedup = new Dedup()
    const trades = [
      { instrument: 1, seq: 5 },
      { instrument: 2, seq: 1 },
      { instrument: 1, seq: 5 },
      { instrument: 2, seq: 2 },
    ]
    expect(accepted(dedup, trades)).toEqual([true, true, false, true])
  })
})
