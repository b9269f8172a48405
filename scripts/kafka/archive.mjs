// The class archive: a broker is started once and ended as soon as it is ready; Java writes the classes it had loaded.
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startNode, whenOpen } from './node.mjs'

/** Java's start takes a second. One that is not ready by then has failed in some way of its own. */
const START_MS_MAX = 60_000

/** Two ports side by side that nobody has just now. */
async function freePorts() {
  for (;;) {
    const first = createServer()
    const second = createServer()
    const listening = (server, port) =>
      new Promise((resolve) => {
        server.once('error', () => resolve(undefined)).listen(port, '127.0.0.1', () => resolve(server.address().port))
      })
    const port = await listening(first, 0)
    const next = await listening(second, port + 1)
    await Promise.all([first, second].filter((s) => s.listening).map((s) => new Promise((resolve) => s.close(resolve))))
    if (next !== undefined) return port
  }
}

export async function archiveClasses(directory, argumentsFile, archive) {
  const port = await freePorts()
  const flags = [`-XX:ArchiveClassesAtExit=${archive}`, '-Xmx512m']
  const broker = startNode(join(directory, 'node'), argumentsFile, port, flags, 'ignore')
  const late = setTimeout(() => broker.kill('SIGKILL'), START_MS_MAX)
  try {
    await new Promise((resolve, reject) => {
      whenOpen(port, () => broker.kill('SIGTERM'))
      broker.on('error', reject)
      broker.on('exit', (code) =>
        existsSync(archive) ? resolve() : reject(new Error(`java ended with ${code} and left no archive`)),
      )
    })
  } finally {
    clearTimeout(late)
  }
}
