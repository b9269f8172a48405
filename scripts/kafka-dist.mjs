// Apache Kafka and what stands around it, downloaded once into the cache and found again by whoever asks. Prints one path a name.
//   node scripts/kafka-dist.mjs [broker] [registry] [python]
//     broker      jars, tools and MirrorMaker 2 (when no name is given)
//     registry    Apicurio Registry with the Java it needs
//     python      a Python interpreter with Kafka clients
//   node scripts/kafka-dist.mjs run [DIR] [PORT]    one broker in the foreground, data in DIR (./kafka-data), on 127.0.0.1:PORT (9092)
import { brokerHome } from './kafka/broker.mjs'
import { pythonClients } from './kafka/python.mjs'
import { registryHome } from './kafka/registry.mjs'
import { run } from './kafka/run.mjs'
import { MissingProgram, say } from './kafka/tools.mjs'

const parts = { broker: brokerHome, registry: registryHome, python: pythonClients }
const PORT_MAX = 65_534

async function main([first = 'broker', ...rest]) {
  if (first === 'run') {
    const [directory = 'kafka-data', port = '9092'] = rest
    if (/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= PORT_MAX) return run(directory, Number(port))
    say(`"${port}" is no port: give a number from 1 to ${PORT_MAX} (the next one is the controller's)`)
    process.exit(2)
  }
  const names = [first, ...rest]
  const unknown = names.find((name) => !Object.hasOwn(parts, name))
  if (unknown !== undefined) {
    say(`"${unknown}" is unknown; valid: ${Object.keys(parts).join(', ')}, run`)
    process.exit(2)
  }
  for (const name of names) console.log(await parts[name]())
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  say(error.message)
  process.exit(error instanceof MissingProgram ? 3 : 1)
}
