/** How a command is made. */
import { Command } from 'commander'

/** A command with its examples under the help: what follows `tickwire`, or a whole line that begins with a variable. */
export function commandOf(name: string, description: string, examples: readonly string[]): Command {
  return new Command(name)
    .description(description)
    .addHelpText('after', `\nExamples:\n${examples.map((e) => `  $ ${/^[A-Z_]+=/.test(e) ? e : `tickwire ${e}`}\n`).join('')}`)
}
