/** The compose file runs brokers with the settings that the tests kill brokers with, and opens nothing to the network. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { deployedProperties } from '../../support/kafka/properties.js'

interface Service {
  readonly image: string
  readonly ports: readonly string[]
  readonly environment: Readonly<Record<string, string | number>>
}
const directory = 'config/deploy/compose'
const { services, volumes } = parse(readFileSync(`${directory}/compose.yaml`, 'utf8'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, unknown>
}
const brokers = Object.entries(services).filter(([, service]) => service.image.startsWith('apache/kafka:'))
/** The image's rule for names. */
const variable = (property: string): string => `KAFKA_${property.replaceAll('.', '_').toUpperCase()}`

describe('compose.yaml', () => {
  it('has three brokers of the version that the tests run', () => {
    const version = /<kafka\.version>([^<]+)</.exec(readFileSync('config/deploy/kafka/pom.xml', 'utf8'))?.[1]
    expect(brokers.map(([, { image }]) => image)).toEqual(Array.from({ length: 3 }, () => `apache/kafka:${version}`))
  })

  it.each(brokers)('%s has every setting of broker.properties and cluster.properties', (_, { environment }) => {
    const wanted = { ...deployedProperties('broker'), ...deployedProperties('cluster') }
    const given = Object.keys(wanted).map((property) => [property, String(environment[variable(property)])])
    expect(Object.fromEntries(given)).toEqual(wanted)
  })

  it('gives each broker an id, a volume and a published address of its own', () => {
    expect(brokers.map(([, { environment }]) => environment.KAFKA_NODE_ID)).toEqual([1, 2, 3])
    expect(Object.keys(volumes)).toEqual(brokers.map(([name]) => name))
    for (const [name, { environment, ports }] of brokers) {
      const [host, port] = String(ports[0]).split(':')
      expect(environment.KAFKA_ADVERTISED_LISTENERS).toBe(`INTERNAL://${name}:19092,EXTERNAL://${host}:${port}`)
    }
  })

  it('publishes on loopback only', () => {
    const open = Object.values(services).flatMap(({ ports }) => ports.filter((port) => !port.startsWith('127.0.0.1:')))
    expect(open).toEqual([])
    expect(Object.values(services).flatMap(({ ports }) => ports)).toHaveLength(5)
  })

  it('pins every image', () => {
    expect(Object.values(services).every(({ image }) => /:v?\d+\.\d+\.\d+$/.test(image))).toBe(true)
  })

  it('its README tells the addresses that are published', () => {
    const text = readFileSync(`${directory}/README.md`, 'utf8')
    for (const port of Object.values(services).flatMap(({ ports }) => ports)) expect(text).toContain(port.split(':')[1])
  })
})
