// One broker and controller in one process: its properties, its directory, its start.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { call } from './tools.mjs'

export const deployDirectory = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'config', 'deploy', 'kafka')
const host = '127.0.0.1'
/** Nodes that shall meet carry the same id, and a broker refuses a directory of another. */
const clusterId = 'MkU3OEVBNTcwNTJENDM2Qg'
const flags = ['-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError']

/** Formats `directory` the first time, then starts a broker on `port` with the controller on the next one; gives its process. */
export function startNode(directory, argumentsFile, port, javaFlags, stdio) {
  mkdirSync(directory, { recursive: true })
  const properties = join(directory, 'server.properties')
  writeFileSync(
    properties,
    [
      ...['broker.properties', 'single.properties'].map((name) => readFileSync(join(deployDirectory, name), 'utf8')),
      `listeners=PLAINTEXT://${host}:${port},CONTROLLER://${host}:${port + 1}`,
      `controller.quorum.bootstrap.servers=${host}:${port + 1}`,
      `log.dirs=${join(directory, 'log')}`,
      '',
    ].join('\n'),
  )
  const java = [`@${argumentsFile}`, ...flags]
  if (!existsSync(join(directory, 'log', 'meta.properties')))
    call('java', [...java, 'kafka.tools.StorageTool', 'format', '--standalone', '-t', clusterId, '-c', properties])
  return spawn('java', [...java, ...javaFlags, 'kafka.Kafka', properties], { stdio: ['ignore', stdio, stdio] })
}

/** Whether somebody listens there. */
export const isTaken = (port) =>
  new Promise((settle) => {
    const socket = connect({ host, port })
    socket.on('connect', () => {
      socket.destroy()
      settle(true)
    })
    socket.on('error', () => settle(false))
  })

/** Calls back once the port answers; a broker that opened its port takes requests. */
export function whenOpen(port, ready) {
  const socket = connect({ host, port })
  socket.on('connect', () => {
    socket.destroy()
    ready()
  })
  socket.on('error', () => setTimeout(whenOpen, 100, port, ready).unref())
}
