// Apache Kafka and what stands around it, downloaded once into the cache and found again by whoever asks. Prints one path.
//   node scripts/kafka-dist.mjs                     the broker's jars, tools and MirrorMaker 2
//   node scripts/kafka-dist.mjs registry            Apicurio Registry with the Java it needs
//   node scripts/kafka-dist.mjs python              a Python interpreter with Kafka clients
//   node scripts/kafka-dist.mjs run [DIR] [PORT]    one broker in the foreground, data in DIR (./kafka-data), on 127.0.0.1:PORT (9092)
import { brokerHome } from './kafka/broker.mjs'
import { pythonClients } from './kafka/python.mjs'
import { registryHome } from './kafka/registry.mjs'
import { run } from './kafka/run.mjs'
import { MissingProgram, say } from './kafka/tools.mjs'

const [what = 'broker', ...rest] = process.argv.slice(2)
const commands = {
  broker: async () => console.log(await brokerHome()),
  registry: () => console.log(registryHome()),
  python: () => console.log(pythonClients()),
  run: ([directory = 'kafka-data', port = '9092']) => {
    const number = Number(port)
    if (!Number.isInteger(number) || number < 1 || number > 65_534) {
      say(`port ${port} is none: give a number from 1 to 65534 (the next one is the controller's)`)
      process.exit(2)
    }
    return run(directory, number)
  },
}
if (!Object.hasOwn(commands, what)) {
  say(`"${what}" is unknown; valid: ${Object.keys(commands).join(', ')}`)
  process.exit(2)
}
try {
  await commands[what](rest)
} catch (error) {
  say(error.message)
  process.exit(error instanceof MissingProgram ? 3 : 1)
}
