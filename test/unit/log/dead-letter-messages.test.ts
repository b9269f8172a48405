import { expect, test } from 'vitest'
import { KafkaError } from '../../../src/core/index.js'
import { SlabBatch } from '../../../src/log/batch.js'
import { messageOf } from '../../../src/log/dead-letter.js'
import { type Log, MessageBurier, type TopicOptions } from '../../../src/log/index.js'
import { redriveObstacle } from '../../../src/services/dead-letters.js'

function bench() {
  const made: TopicOptions[] = []
  const letters: Uint8Array[] = []
  const refusals: Error[] = []
  const log = {
    id: 'l',
    topics: async () => [],
    ensureTopic: async (options: TopicOptions) => {
      const refusal = refusals.shift()
      if (refusal !== undefined) throw refusal
      made.push(options)
    },
    append: async (_topic: string, _partition: number, { value }: { value: Uint8Array }) => {
      letters.push(value)
      return { status: 'ok', offset: 0 }
    },
    async *read() {
      yield new SlabBatch('t', 2, 7, 1, 'batch', new TextEncoder().encode('no batch'), new Uint8Array(), undefined)
    },
  } as unknown as Log
  const burier = new MessageBurier(log, 'bars-x', new Map([['t', 4]]), () => 5n, { retentionMs: 1_000 })
  return { made, letters, refusals, burier }
}

test('a native processor’s letter is kept as declared and says why nobody can redrive it', async () => {
  const { made, letters, burier } = bench()
  expect(await burier.bury('t', 2, 7)).toBe('ok')
  expect(await burier.bury('t', 2, 7)).toBe('ok')
  expect(made).toEqual([{ name: 't.dlq', partitions: 4, retentionMs: 1_000 }])
  expect(letters).toHaveLength(1)
  const letter = messageOf(letters[0] ?? new Uint8Array())
  if (letter?.kind !== 'letter') throw new Error('no letter')
  expect(letter.replay.canReplay).toBe(false)
  const given = { isReviewed: true, isEarly: true, nowNs: 10n }
  expect(redriveObstacle({ id: letter.id, state: 'dead', at: 0, letter }, given)).toContain('bars-x is a native processor')
})

test('why a dead-letter topic cannot be made is not lost', async () => {
  const { refusals, burier } = bench()
  refusals.push(new KafkaError('not authorized'))
  await expect(burier.bury('t', 2, 7)).rejects.toThrow('not authorized')
  expect(await burier.bury('t', 2, 7)).toBe('ok')
})
