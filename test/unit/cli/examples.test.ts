/** What the documents and every `--help` tell people to type: the command exists, takes those options, and gets what it requires. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { createProgram, everyCommand } from '../../../src/cli/program.js'
import { systemClock } from '../../../src/core/clock.js'
import { cli } from '../../support/cli.js'

const documents = ['README.md', ...['docs/guides', 'docs/reference', 'docs/operations'].flatMap(markdownIn)]

function markdownIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(directory, name))
}

const program = createProgram({
  out: async () => {},
  err: () => {},
  isOutTty: false,
  isErrTty: false,
  environment: {},
  clock: systemClock,
  signal: new AbortController().signal,
})

/** The words of a shell line behind `tickwire`; undefined when it calls something else. */
function wordsOf(line: string): string[] | undefined {
  const match = /^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:npx )?tickwire(?: (.*))?$/.exec(line.trim())
  if (match === null) return undefined
  const words = (match[1] ?? '').replace(/(^| )[#|>].*$/, '').match(/"[^"]*"|\S+/g) ?? []
  return words.map((word) => word.replaceAll('"', ''))
}

/** What is wrong with a line; undefined when nothing is. */
function wrongWith(words: readonly string[]): string | undefined {
  let command: Command = program
  let rest = [...words]
  for (;;) {
    const next = command.commands.find((c) => c.name() === rest[0])
    if (next === undefined) break
    command = next
    rest = rest.slice(1)
  }
  if (command === program) return rest.every((word) => word.startsWith('--')) ? undefined : 'no such command'
  const { operands, unknown } = command.parseOptions(rest)
  const strange = unknown.filter((word) => word !== '--help')
  if (strange.length > 0) return `unknown ${strange.join(' ')}`
  const arguments_ = command.registeredArguments
  if (!arguments_.some((a) => a.variadic) && operands.length > arguments_.length)
    return `too many arguments: ${operands.join(' ')}`
  if (operands.length < arguments_.filter((a) => a.required).length) return 'an argument is missing'
  const missing = command.options.find((o) => o.mandatory && !rest.includes(o.long ?? ''))
  return missing === undefined ? undefined : `${missing.long} is missing`
}

test('command lines of the documents and of every help', async () => {
  const wrong: string[] = []
  let checked = 0
  const check = (where: string, line: string) => {
    const words = wordsOf(line)
    if (words === undefined) return
    checked++
    const found = wrongWith(words)
    if (found !== undefined) wrong.push(`${where}: ${line.trim()}: ${found}`)
  }
  for (const file of documents) {
    for (const block of readFileSync(file, 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)) {
      for (const line of (block[1] ?? '').split('\n')) check(file, line)
    }
  }
  for (const command of everyCommand(program).slice(1)) {
    const path = command.parent === program ? [command.name()] : [command.parent?.name() ?? '', command.name()]
    const examples = (await cli([...path, '--help'])).out.split('Examples:\n')[1]?.split('\n') ?? []
    for (const line of examples.filter((text) => text.trim() !== '')) {
      expect(line).not.toMatch(/tickwire [A-Z_]+=/)
      check(`${path.join(' ')} --help`, line)
    }
  }
  console.log(`${checked} command lines of ${documents.length} documents and of the help`)
  expect(checked).toBeGreaterThan(50)
  expect(wrong).toEqual([])
})

test('links of the documents lead to files', () => {
  const dead: string[] = []
  let checked = 0
  for (const file of documents) {
    for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      // Figures are made by `make bench`.
      if (/^https?:/.test(target) || target.startsWith('bench/results/')) continue
      checked++
      if (!existsSync(join(dirname(file), target))) dead.push(`${file}: ${target}`)
    }
  }
  console.log(`${checked} links`)
  expect(checked).toBeGreaterThan(10)
  expect(dead).toEqual([])
})
