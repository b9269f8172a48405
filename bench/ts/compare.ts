/** Interleaved comparison in JavaScript: the same rules as bench/native/bench.h (A B A B, at least five pairs, median of ratios). */

export interface Run {
  /** Operations done. */
  readonly operations: number
  /** Proof of the work: both sides must give the same. */
  readonly hash: string
  /** When only a part of the run counts. */
  readonly seconds?: number
}

export interface Row {
  readonly id: string
  readonly peer?: string
  readonly ratio?: number
  readonly min?: number
  readonly max?: number
  readonly ours?: number
  readonly theirs?: number
  readonly value?: number
  readonly better?: 'more' | 'less'
  readonly unit: string
  readonly hash: string
  /** What else is worth knowing, in words. */
  readonly note?: string
}

export const pairs = (): number => Math.max(1, Number(process.env.BENCH_PAIRS ?? 5))
export const scale = (): number => Number(process.env.BENCH_SCALE ?? 1)

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] as number
}

type Work = () => Run | Promise<Run>

async function timed(work: Work): Promise<{ run: Run; seconds: number }> {
  const begin = performance.now()
  const run = await work()
  return { run, seconds: run.seconds ?? (performance.now() - begin) / 1000 }
}

export interface CompareOptions {
  readonly id: string
  readonly peer: string
  /** ns: per operation; 1/s: operations per second. */
  readonly unit: 'ns' | '1/s'
  readonly ours: Work
  readonly theirs: Work
  /** Rounds before those that count; 1 unless told. More where what both stand on warms up slowly, as a broker's JVM does. */
  readonly warmups?: number
}

/** Runs both sides in turn; throws when their hashes differ. */
export async function compare(options: CompareOptions): Promise<Row> {
  for (let round = 0; round < (options.warmups ?? 1); round++) {
    await options.ours()
    await options.theirs()
  }
  const ratios: number[] = []
  const ourRates: number[] = []
  const theirRates: number[] = []
  let hash = ''
  for (let pair = 0; pair < pairs(); pair++) {
    const a = await timed(options.ours)
    const b = await timed(options.theirs)
    if (a.run.hash !== b.run.hash)
      throw new Error(`${options.id}: ours gave ${a.run.hash}, ${options.peer} gave ${b.run.hash}: not the same work`)
    hash = a.run.hash
    const ourRate = a.run.operations / a.seconds
    const theirRate = b.run.operations / b.seconds
    ourRates.push(ourRate)
    theirRates.push(theirRate)
    ratios.push(ourRate / theirRate)
  }
  const shown = (rate: number) => (options.unit === '1/s' ? rate : 1e9 / rate)
  return {
    id: options.id,
    peer: options.peer,
    ratio: median(ratios),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    ours: shown(median(ourRates)),
    theirs: shown(median(theirRates)),
    unit: options.unit,
    hash,
  }
}

/** Prints a row for bench/run.mjs. */
export const emit = (row: Row): void => console.log(JSON.stringify(row))
