/** Every recorded Kite and Dhan packet: each field named in its expected.json has its value. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodePackets } from '../../../src/native/decode.js'
import { sharedData } from '../../support/shared-data.js'

type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/** Compares every leaf of `expected`; returns how many. */
function compareLeaves(actual: Json | undefined, expected: Json, path: string): number {
  if (Array.isArray(expected)) {
    expect(Array.isArray(actual), path).toBe(true)
    return expected.reduce((sum: number, item, i) => sum + compareLeaves((actual as Json[])[i], item, `${path}[${i}]`), 0)
  }
  if (expected !== null && typeof expected === 'object') {
    let count = 0
    for (const [name, value] of Object.entries(expected)) {
      count += compareLeaves((actual as Record<string, Json>)[name], value as Json, `${path}.${name}`)
    }
    return count
  }
  expect(actual, path).toEqual(expected)
  return 1
}

const lines = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { [name: string]: Json })

interface KiteExpected {
  frame?: null
  frame_length?: number
  packet_count?: number
  packets: Json[]
}

test('kite: frames and packets', (context) => {
  const root = sharedData('kite')
  if (root === undefined) return context.skip()
  let compared = 0
  let packets = 0
  for (const folder of readdirSync(root)) {
    for (const name of readdirSync(join(root, folder)).filter((file) => file.endsWith('.expected.json'))) {
      const all = JSON.parse(readFileSync(join(root, folder, name), 'utf8')) as Record<string, KiteExpected>
      for (const [file, expected] of Object.entries(all)) {
        const bare = expected.frame === null
        const { text } = decodePackets('kite', readFileSync(join(root, folder, file)), { packet: bare })
        const actual = lines(text)
        expect(actual.length, file).toBe(expected.packets.length)
        packets += actual.length
        compared += compareLeaves(actual, expected.packets, file)
        if (!bare) {
          compared += compareLeaves(
            actual[0],
            { frame_length: expected.frame_length ?? 0, packet_count: expected.packet_count ?? 0 },
            file,
          )
        }
      }
    }
  }
  console.log(`kite: ${packets} packets, ${compared} fields equal`)
  expect(compared).toBeGreaterThan(0)
})

test('kite: the official mocks written as text are the same packets', (context) => {
  const root = sharedData('kite/kiteconnect-mocks')
  if (root === undefined) return context.skip()
  for (const name of ['ticker_full', 'ticker_quote']) {
    const bytes = Buffer.from(readFileSync(join(root, `${name}.packet`), 'utf8'), 'base64')
    const binary = readFileSync(join(root, `${name}.bin`))
    expect(decodePackets('kite', bytes, { packet: true })).toEqual(decodePackets('kite', binary, { packet: true }))
  }
})

test('dhan: packets', (context) => {
  const root = sharedData('dhan/frames')
  if (root === undefined) return context.skip()
  let compared = 0
  const all = JSON.parse(readFileSync(join(root, 'frames.expected.json'), 'utf8')) as Record<string, Json>
  for (const [file, expected] of Object.entries(all)) {
    for (const packet of [false, true]) {
      const { text, counts } = decodePackets('dhan', readFileSync(join(root, file)), { packet })
      expect(counts).toEqual({})
      compared += compareLeaves(lines(text), [expected], file)
    }
  }
  console.log(`dhan: ${compared} fields equal`)
  expect(compared).toBeGreaterThan(0)
})
