/** The demo, short: both mishaps happen, and what was produced is what was delivered plus what was said to be lost. */
import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { runDemo } from '../../src/demo/index.js'

it('ends with an exact sum that has gaps and drops in it', async () => {
  const lines: string[] = []
  const out = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  }) as unknown as NodeJS.WriteStream
  const code = await runDemo({ seconds: 5, port: 0, seed: 11, rate: 6000, signal: new AbortController().signal, out })
  const text = lines.join('')
  expect(text).toContain('produced = delivered + gaps')
  expect(code).toBe(0)
  expect(Number(/for (\d+) refused by the ring/.exec(text)?.[1])).toBeGreaterThan(0)
  expect(Number(/dropped for slow subscribers (\d+)/.exec(text)?.[1])).toBeGreaterThan(0)
  expect(text).toMatch(/record hash [0-9a-f]{16}/)
}, 60_000)
