/** The checker of the Kafka loads finds what it is there to find. Two local logs stand for the outbox and for Kafka: it knows only the interface. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Log, openLog } from '../../src/log/index.js'
import { tradeRun } from '../support/batches.js'
import { checkLoad } from '../support/kafka/load/checker.js'
import type { TapLine } from '../support/kafka/load/orders.js'

const topic = 'market.crypto.trades.checker'

describe('checker of a load', () => {
  let directory: string
  let local: Log
  let kafka: Log

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tickwire-load-checker-'))
    local = await openLog({ directory: join(directory, 'local') })
    kafka = await openLog({ directory: join(directory, 'kafka') })
    await local.ensureTopic({ name: topic })
    await kafka.ensureTopic({ name: topic })
    await fill(local, [1, 10], [11, 10], [21, 10])
  })
  afterEach(async () => {
    await local.close()
    await kafka.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const fill = async (log: Log, ...runs: readonly (readonly [first: number, count: number])[]): Promise<void> => {
    for (const [first, count] of runs) await log.append(topic, 0, { kind: 'batch', value: tradeRun(first, count) })
  }
  const assigned = (generation: number, offset: number): TapLine => ({ k: 'assigned', partition: 0, generation, offset })
  const batch = (generation: number, offset: number): TapLine => ({ k: 'batch', partition: 0, generation, offset })
  /** Of one member that had all three messages. */
  const whole: readonly TapLine[] = [assigned(1, 0), batch(1, 0), batch(1, 10), batch(1, 20)]
  const problems = async (taps: readonly (readonly TapLine[])[] = [whole]): Promise<readonly string[]> =>
    (await checkLoad(local, kafka, topic, taps)).problems

  it('finds nothing where nothing is wrong, and counts repeats that readers drop', async () => {
    await fill(kafka, [1, 10], [11, 10], [11, 10], [21, 10])
    const { problems: found, counted } = await checkLoad(local, kafka, topic, [[...whole, batch(1, 30)]])
    expect(found).toEqual([])
    expect(counted).toMatchObject({ records: 30, messages: 4, repeats: 10, delivered: 4, deliveredAgain: 0, terms: 1 })
  })

  it.each([
    [
      'a record that is missing at the end',
      [
        [1, 10],
        [11, 10],
      ],
      /Kafka ends, and the local log has .* seq 21/,
    ],
    [
      'a record that is missing in the middle',
      [
        [1, 10],
        [12, 9],
        [21, 10],
      ],
      /behind 10 equal records Kafka holds .* seq 12 .* seq 11/,
    ],
    [
      'records that were overtaken',
      [
        [1, 10],
        [21, 10],
        [11, 10],
      ],
      /behind 10 equal records Kafka holds .* seq 21/,
    ],
    [
      'a record that nobody produced',
      [
        [1, 10],
        [11, 10],
        [21, 11],
      ],
      /Kafka holds .* seq 31 and the local log no more/,
    ],
  ] as const)('%s', async (_what, runs, problem) => {
    await fill(kafka, ...runs)
    expect((await problems())[0]).toMatch(problem)
  })

  it.each([
    ['a message that nobody had', [whole.slice(0, 3)], /offset 20 was never delivered/],
    ['a message out of order', [[assigned(1, 0), batch(1, 10), batch(1, 0), batch(1, 20)]], /had 10, 0 was next/],
    [
      'a term that began too late',
      [
        [assigned(1, 0), batch(1, 0)],
        [assigned(2, 20), batch(2, 20)],
      ],
      /began at 20, 10 was never had/,
    ],
    ['two owners of one generation', [whole, [assigned(1, 20), batch(1, 20)]], /members 0 and 1 had generation 1/],
    ['a batch of a generation that was another’s', [whole, [batch(1, 20)]], /member 1 had no generation 1/],
    ['a hole that a member was told of', [[...whole, { k: 'note', text: 'hole' } as const]], /a member said: hole/],
  ] as const)('%s', async (_what, taps, problem) => {
    await fill(kafka, [1, 10], [11, 10], [21, 10])
    expect((await problems(taps))[0]).toMatch(problem)
  })

  it('a takeover repeats what was not committed', async () => {
    await fill(kafka, [1, 10], [11, 10], [21, 10])
    const taps = [
      [assigned(1, 0), batch(1, 0), batch(1, 10)],
      [assigned(2, 10), batch(2, 10), batch(2, 20)],
    ]
    const { problems: found, counted } = await checkLoad(local, kafka, topic, taps)
    expect(found).toEqual([])
    expect(counted).toMatchObject({ delivered: 4, deliveredAgain: 1, terms: 2 })
  })
})
