/** Java properties as our brokers use them: `name=value` lines and `#` comment lines, nothing else. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/native/addon.js'

export type Properties = Readonly<Record<string, string>>

export function parseProperties(text: string): Properties {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf('=')
      if (equals < 1) throw new Error(`no property: "${line}"`)
      return [line.slice(0, equals), line.slice(equals + 1)]
    }),
  )
}

export const formatProperties = (properties: Properties): string =>
  Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

/** The settings that the project ships for its brokers: what is tested is what is recommended. */
export const deployedProperties = (name: 'broker' | 'single' | 'cluster'): Properties =>
  parseProperties(readFileSync(join(packageRoot, 'config', 'deploy', 'kafka', `${name}.properties`), 'utf8'))
