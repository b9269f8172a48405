/** What a client says of its own completeness, and the bar it folds. */
import { expect, test } from 'vitest'
import { BarFolder } from '../../../src/web/forming-bar.js'
import { Tracker } from '../../../src/web/tracker.js'
import { BatchView } from '../../../src/wire/index.js'
import { type TradeSpec, tradeBatch } from '../../support/batches.js'

const feed = (tracker: Tracker, trades: readonly TradeSpec[], kind: 'live' | 'snapshot' | 'conflated' = 'live'): boolean[] => {
  const batch = new BatchView(tradeBatch(trades))
  return trades.map((_, index) => tracker.accept(batch, index, kind))
}

test('holes are missing, repeats are left out, streams are apart', () => {
  const tracker = new Tracker()
  feed(tracker, [{ seq: 5 }], 'snapshot')
  expect(feed(tracker, [{ seq: 5 }, { seq: 6 }, { seq: 9 }, { seq: 8 }, { instrument: 2, seq: 3 }])).toEqual([
    false,
    true,
    true,
    false,
    true,
  ])
  expect(tracker.counts).toMatchObject({ accepted: 4, repeats: 2, missing: 2 })
})

test('a new epoch begins with 1', () => {
  const tracker = new Tracker()
  feed(tracker, [{ seq: 5 }, { epoch: 1_800_000_000, seq: 1 }])
  expect(tracker.counts.missing).toBe(0)
  feed(tracker, [{ epoch: 1_900_000_000, seq: 3 }])
  expect(tracker.counts.missing).toBe(2)
})

test('conflation is counted apart, and a notice explains its hole', () => {
  const tracker = new Tracker()
  feed(tracker, [{ seq: 1 }])
  feed(tracker, [{ seq: 11 }], 'conflated')
  expect(tracker.counts).toMatchObject({ missing: 0, conflated: 9 })
  const epoch = 1_700_000_000
  tracker.notice({ instrumentId: 1, type: 'trade', source: 0, first: { epoch, seq: 12 }, last: { epoch, seq: 20 }, count: 9 })
  expect(feed(tracker, [{ seq: 21 }])).toEqual([true])
  expect(tracker.counts).toMatchObject({ missing: 0, dropped: 9, conflated: 9 })
})

test('trades fold into bars by their own time', () => {
  const folder = new BarFolder(1000)
  expect(folder.add(1500, 10, 1)).toMatchObject({ startMs: 1000, open: 10, partial: true })
  folder.add(2100, 11, 1)
  folder.add(2900, 8, 2)
  expect(folder.add(2950, 9, 1)).toEqual({ startMs: 2000, open: 11, high: 11, low: 8, close: 9, volume: 4, partial: false })
  expect(folder.add(1999, 12, 1)).toMatchObject({ startMs: 1000, high: 12 })
  folder.finish(1000)
  expect(folder.isOpen(1000)).toBe(false)
  expect(folder.isOpen(2000)).toBe(true)
})
