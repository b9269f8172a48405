/**
 * Ports that nobody listens on. They lie below the range from which Linux takes the near end of outgoing connections: a node that was
 * killed must find its port free when it comes back.
 */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const FIRST = 15_000
const LAST = 32_000

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = randomInt(FIRST, LAST)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}
