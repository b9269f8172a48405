/** Runs a command in this process and keeps what it printed. */
import type { Io } from '../../src/cli/io.js'
import { runCli } from '../../src/cli/program.js'
import { systemClock } from '../../src/core/clock.js'

export interface CliRun {
  readonly code: number
  readonly out: string
  readonly err: string
}

export async function cli(args: readonly string[], options: Partial<Io> = {}): Promise<CliRun> {
  const out: Buffer[] = []
  let err = ''
  const code = await runCli(args, {
    out: async (text) => void out.push(Buffer.from(text)),
    err: (text) => {
      err += text
    },
    isOutTty: false,
    isErrTty: false,
    environment: {},
    clock: systemClock,
    signal: new AbortController().signal,
    ...options,
  })
  return { code, out: Buffer.concat(out).toString('utf8'), err }
}
