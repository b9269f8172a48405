/** Two ingestion shards, bars and a dead-lettering consumer, killed 50 times at seeded points. The long form: `make chaos`. */
import { expect, it } from 'vitest'
import { chaosSeed, survives } from '../support/chaos/crash-suite.js'

it('loses nothing that was acknowledged over 50 kills', { timeout: 600_000 }, async () => {
  expect.hasAssertions()
  await survives(Number(process.env.CHAOS_KILLS ?? 50), chaosSeed(1))
})
