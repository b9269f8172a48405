import { expect, it, vi } from 'vitest'
import { tradeRun } from '../../support/batches.js'

it('a debug build poisons a batch whose time is over; a copy stays', async () => {
  vi.stubEnv('TICKWIRE_DEBUG', '1')
  const { SlabBatch } = await import('../../../src/log/batch.js')
  const value = tradeRun(1, 3)
  const before = value.slice()
  const batch = new SlabBatch('a', 0, 0, 3, 'batch', value, new TextEncoder().encode('key'), undefined)
  const copy = batch.copy()
  batch.end()
  expect(value.every((byte) => byte === 0xdb)).toBe(true)
  expect([...copy.value]).toEqual([...before])
  expect(copy.key).toBe('key')
  vi.unstubAllEnvs()
})
