/** The command line: one file per command under commands/. Answers the exit code; never ends the process itself. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { packageRoot } from '../native/addon.js'
import { configCommand } from './commands/config.js'
import { decodeCommand } from './commands/decode.js'
import { demoCommand } from './commands/demo.js'
import { dlqCommand } from './commands/dlq.js'
import { doctorCommand } from './commands/doctor.js'
import { groupsCommand } from './commands/groups.js'
import { lagCommand } from './commands/lag.js'
import { logCommand } from './commands/log.js'
import { readCommand } from './commands/read.js'
import { recordCommand } from './commands/record.js'
import { replayCommand } from './commands/replay.js'
import { runCommand } from './commands/run.js'
import { schemasCommand } from './commands/schemas.js'
import { subscribeCommand, unsubscribeCommand } from './commands/subscribe.js'
import { topicsCommand } from './commands/topics.js'
import { upCommand } from './commands/up.js'
import { verifyCommand } from './commands/verify.js'
import { errorText, exitCodeOf, exitCodes } from './errors.js'
import { type Io, PipeClosed } from './io.js'

const version = (): string => (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version

const commands = [
  upCommand,
  runCommand,
  decodeCommand,
  recordCommand,
  replayCommand,
  readCommand,
  topicsCommand,
  schemasCommand,
  logCommand,
  verifyCommand,
  dlqCommand,
  groupsCommand,
  lagCommand,
  subscribeCommand,
  unsubscribeCommand,
  configCommand,
  doctorCommand,
  demoCommand,
]

export function createProgram(io: Io): Command {
  const program = new Command('tickwire')
    .description('a market-data engine: from the venue’s packet to the client’s screen, every hole accounted for')
    .version(version())
    // Options behind a command are that command's: `topics` and `topics plan` both have a --kafka.
    .enablePositionalOptions()
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 a check or the work failed, 2 usage or configuration, 3 the machine lacks something, 130 interrupted.\n',
    )
  for (const command of commands) program.addCommand(command(io))
  const texts: string[] = []
  for (const command of everyCommand(program)) {
    command.exitOverride().showHelpAfterError('(--help shows options and examples)')
    command.configureOutput({ writeOut: (text) => texts.push(text), writeErr: (text) => io.err(text) })
  }
  // Help and version go where data goes, and are awaited like data.
  program.hook('postAction', async () => {
    if (texts.length > 0) await io.out(texts.splice(0).join(''))
  })
  helpTexts.set(program, texts)
  return program
}

const helpTexts = new WeakMap<Command, string[]>()

export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}

export async function runCli(args: readonly string[], io: Io): Promise<number> {
  const program = createProgram(io)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    if (error instanceof PipeClosed) return exitCodes.ok
    const help = helpTexts.get(program)?.join('') ?? ''
    if (help !== '') await io.out(help).catch(() => undefined)
    // Commander has said what is wrong with the usage by itself.
    if (!(error instanceof CommanderError)) io.err(errorText(error))
    return exitCodeOf(error)
  }
}
