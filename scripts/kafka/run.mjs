// One broker in the foreground, for development: ends with Ctrl-C, keeps its data.
import { resolve } from 'node:path'
import { brokerHome, javaArguments } from './broker.mjs'
import { isTaken, startNode, whenOpen } from './node.mjs'
import { say } from './tools.mjs'

export async function run(directory, port) {
  const home = await brokerHome()
  for (const each of [port, port + 1]) {
    if (!(await isTaken(each))) continue
    say(
      `port ${each} is taken, perhaps by a broker that still runs (a broker uses ${port} and ${port + 1}); give another directory and port: run DIR PORT`,
    )
    process.exit(3)
  }
  const broker = startNode(resolve(directory), javaArguments(home), port, ['-Xmx1g'], 'inherit')
  // Kafka's own log is long: one line says that the port is open.
  whenOpen(port, () => say(`ready on 127.0.0.1:${port}, data in ${directory}; Ctrl-C ends it`))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => broker.kill('SIGTERM'))
  broker.on('error', (error) => {
    say(`java did not start: ${error.message}`)
    process.exit(3)
  })
  // 143 is how Java reports the SIGTERM that we sent it.
  broker.on('exit', (code, signal) => process.exit(code === 143 || signal === 'SIGTERM' ? 0 : (code ?? 1)))
}
