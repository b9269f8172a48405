import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLocalLog, placeOfEvent } from '../../../src/log/index.js'
import { eventId } from '../../../src/wire/index.js'
import { tradeRun } from '../../support/batches.js'

test('event ids by form: records by (epoch, seq), bars by their start; anything else is no event id', () => {
  expect(placeOfEvent('t-16777217-0-1700000000-42')).toEqual({ epoch: 1_700_000_000, seq: 42 })
  expect(placeOfEvent('d20-1-128-5-4294967295')).toEqual({ epoch: 5, seq: 4_294_967_295 })
  expect(placeOfEvent('b-16777217-0-60000-0-1700000040000-2')).toEqual({ time: 1_700_000_040_000_000_000n })
  for (const text of ['', 'z-1-0-1-1', 't-1-0-1', 't-1-0-1-1-1', 'b-1-0-60000-0-1-1-1', 't-1-0-99999999999-1', 'begin']) {
    expect(placeOfEvent(text)).toBeUndefined()
  }
})

test('a read from an event’s place begins at the message that holds it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tw-event-'))
  const log = openLocalLog({ directory })
  const topic = 'market.crypto.trades.events'
  await log.ensureTopic({ name: topic })
  const ids: string[] = []
  for (let i = 0; i < 20; i++) await log.append(topic, 0, { kind: 'batch', value: tradeRun(i * 10 + 1, 10) })
  for await (const batch of log.read({ topics: [topic] })) {
    const view = batch.view()
    for (let j = 0; view !== undefined && j < view.count; j++) ids.push(eventId(view, j) ?? '')
  }
  for (const at of [0, 57, 199]) {
    const from = placeOfEvent(ids[at] ?? '')
    for await (const batch of log.read({ topics: [topic], ...(from === undefined ? {} : { from }) })) {
      const view = batch.view()
      const held = Array.from({ length: view?.count ?? 0 }, (_, j) => (view === undefined ? '' : eventId(view, j)))
      expect(held).toContain(ids[at])
      break
    }
  }
  await log.close()
  rmSync(directory, { recursive: true })
})
