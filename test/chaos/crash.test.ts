/** `make chaos`: CHAOS_KILLS kills in rounds of 100, each on a directory of its own. CHAOS_SEED is the first round's seed. */
import { expect, it } from 'vitest'
import { chaosSeed, survives } from '../support/chaos/crash-suite.js'

const KILLS_PER_ROUND = 100
const kills = Number(process.env.CHAOS_KILLS ?? 1_000)
const first = chaosSeed(Math.floor(Date.now() / 1_000) % 1_000_000)

for (let done = 0, round = 0; done < kills; done += KILLS_PER_ROUND, round++) {
  const seed = first + round
  it(`round ${round + 1}, seed ${seed}`, async () => {
    expect.hasAssertions()
    await survives(Math.min(KILLS_PER_ROUND, kills - done), seed)
  })
}
