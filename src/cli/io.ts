/** The outside world of a command: streams, environment, interruption. Tests pass their own. */
import { createInterface } from 'node:readline/promises'
import { type Clock, systemClock } from '../core/clock.js'
import { InterruptedError } from './errors.js'

export interface Io {
  /** Resolves when the text has been taken; a closed pipe ends the command quietly. */
  readonly out: (text: string | Uint8Array) => Promise<void>
  readonly err: (text: string) => void
  readonly isOutTty: boolean
  readonly isErrTty: boolean
  /** Asks a person and waits for the line; undefined where nobody is there. */
  readonly ask?: ((question: string) => Promise<string>) | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Aborted by SIGINT or SIGTERM; its reason is an InterruptedError. */
  readonly signal: AbortSignal
}

/** Thrown when whoever read our output went away. */
export class PipeClosed extends Error {}

export function processIo(): Io {
  const abort = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // A second signal does not wait for a drain that hangs.
      if (abort.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143)
      abort.abort(new InterruptedError(name))
    })
  }
  // The stream tells of a closed pipe twice, by the write's callback and by this event; unheard, the event ends the process.
  process.stdout.on('error', () => undefined)
  // A service outlives whoever read its messages.
  process.stderr.on('error', () => undefined)
  return {
    out: (text) =>
      new Promise((resolve, reject) => {
        process.stdout.write(text, (error) => {
          if (error === undefined || error === null) resolve()
          else reject('code' in error && error.code === 'EPIPE' ? new PipeClosed() : error)
        })
      }),
    err: (text) => void process.stderr.write(text),
    isOutTty: process.stdout.isTTY === true,
    isErrTty: process.stderr.isTTY === true,
    ask:
      process.stdin.isTTY === true && process.stderr.isTTY === true
        ? (question) => askTerminal(question, abort.signal)
        : undefined,
    environment: process.env,
    clock: systemClock,
    signal: abort.signal,
  }
}

async function askTerminal(question: string, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await terminal.question(question, { signal })
  } finally {
    terminal.close()
  }
}
