/** Settings of the gateway, and that the document lists them. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allowedHosts, gatewayOptionsSchema } from '../../../src/stream/options.js'

test('defaults are loopback and bounded', () => {
  const options = gatewayOptionsSchema.parse({})
  expect(options).toMatchObject({
    host: '127.0.0.1',
    port: 9090,
    path: '/stream',
    limits: { clientBytes: 1 << 20, clients: 10_000 },
  })
  expect(allowedHosts(options)).toEqual(['localhost', '127.0.0.1', '[::1]'])
  expect(allowedHosts(gatewayOptionsSchema.parse({ host: '0.0.0.0' }))).toEqual([])
  expect(allowedHosts(gatewayOptionsSchema.parse({ hosts: ['ticks.example'] }))).toEqual(['ticks.example'])
})

test('what is no setting, or out of range, is refused by name', () => {
  for (const [input, name] of [
    [{ prot: 1 }, 'prot'],
    [{ port: -1 }, 'port'],
    [{ limits: { clientBytes: 1 } }, 'clientBytes'],
    [{ path: 'stream' }, 'path'],
  ] as const) {
    const result = gatewayOptionsSchema.safeParse(input)
    expect(result.success).toBe(false)
    expect(JSON.stringify(result.error?.issues)).toContain(name)
  }
})

test('docs/reference/websocket.md lists every setting', () => {
  const text = readFileSync('docs/reference/websocket.md', 'utf8')
  const options = gatewayOptionsSchema.parse({})
  const names = [
    ...Object.keys(options).filter((name) => name !== 'limits'),
    ...Object.keys(options.limits).map((name) => `limits.${name}`),
  ]
  expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
})
