/** Where Kafka, the registry and Python's clients are; scripts/kafka-dist.mjs gets what is missing. */
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../../src/native/addon.js'

const found = new Map<string, Promise<string>>()

function find(what: 'broker' | 'registry' | 'python'): Promise<string> {
  let path = found.get(what)
  if (path === undefined) {
    const script = join(packageRoot, 'scripts', 'kafka-dist.mjs')
    path = promisify(execFile)(process.execPath, [script, what]).then(({ stdout }) => stdout.trim())
    found.set(what, path)
  }
  return path
}

export const registryHome = (): Promise<string> => find('registry')
export const pythonWithClients = (): Promise<string> => find('python')

/** The argument that gives Java Kafka's class path. */
export const kafkaClasses = async (): Promise<string> => `@${join(await find('broker'), 'java.args')}`

/** Whether this machine can run real brokers and foreign clients. Says aloud what is missing: use it with `skipIf(!kafkaHere())`. */
export function kafkaHere(programs: readonly string[] = ['java', 'mvn']): boolean {
  const missing = programs.filter((program) => spawnSync('which', [program]).status !== 0)
  if (missing.length > 0) console.warn(`SKIPPED: ${missing.join(', ')} not here (\`sh scripts/setup.sh test\` installs them)`)
  return missing.length === 0
}
