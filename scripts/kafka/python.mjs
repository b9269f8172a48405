// A Python environment with the Kafka clients that other people use: what the tests of the open views read with.
import { join } from 'node:path'
import { cached } from './cache.mjs'
import { pythonEnvironment, timed } from './tools.mjs'

const requirements = ['confluent-kafka==2.16.1', 'kafka-python==3.0.12', 'fastavro==1.13.1']

/** The path of the environment's interpreter. */
export function pythonClients() {
  const home = cached('kafka-python-clients', requirements.join(' '), (directory) => {
    timed(`getting Python's Kafka clients (${requirements.join(', ')})`, () => pythonEnvironment(directory, requirements))
  })
  return join(home, 'bin', 'python')
}
