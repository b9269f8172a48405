/** The control endpoint of a running process: HTTP on a unix socket in the data directory, for `tickwire subscribe` and friends. */
import { chmodSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import Fastify from 'fastify'
import { z } from 'zod'
import { EnvironmentError, PlatformError, UsageError } from '../core/errors.js'
import { isSymbol } from '../model/symbols.js'
import type { FeedComponent } from './ingestion.js'

const wish = z.strictObject({
  exchange: z.string().min(1),
  symbols: z.array(z.string().refine(isSymbol, 'expected a symbol')).min(1).max(10_000),
})
export type ControlWish = z.infer<typeof wish>

export const controlPath = (directory: string): string => join(directory, 'control.sock')

export interface ControlServer {
  close(): Promise<void>
}

/** Listens for wishes; only this user may connect. Undefined: another process listens already. */
export async function startControl(directory: string, feeds: () => readonly FeedComponent[]): Promise<ControlServer | undefined> {
  const path = controlPath(directory)
  const app = Fastify({ logger: false, bodyLimit: 1 << 20, forceCloseConnections: true })
  for (const verb of ['subscribe', 'unsubscribe'] as const) {
    app.post(`/${verb}`, async (call, reply) => {
      const parsed = wish.safeParse(call.body)
      if (!parsed.success) return reply.code(400).send({ error: z.prettifyError(parsed.error) })
      const { exchange, symbols } = parsed.data
      const feed = feeds().find((one) => one.settings.exchange === exchange)
      if (feed === undefined) {
        const valid = feeds().map((one) => one.settings.exchange)
        return reply.code(404).send({ error: `this process has no feed of ${exchange}; valid: ${valid.join(', ')}` })
      }
      try {
        await feed[verb](symbols)
        return { exchange, symbols }
      } catch (error) {
        return reply.code(error instanceof PlatformError ? 400 : 502).send({ error: (error as Error).message })
      }
    })
  }
  // A socket file outlives a killed process; one that answers belongs to the process that came first, and stays its own.
  if (await answers(path)) return undefined
  rmSync(path, { force: true })
  await app.listen({ path })
  chmodSync(path, 0o600)
  return {
    close: async () => {
      await app.close()
      rmSync(path, { force: true })
    },
  }
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

/** Asks the process that runs on the directory. */
export function callControl(directory: string, verb: 'subscribe' | 'unsubscribe', body: ControlWish): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: controlPath(directory), path: `/${verb}`, method: 'POST', headers: { 'content-type': 'application/json' } },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('end', () => {
          const parsed = JSON.parse(text) as { error?: string }
          if (answer.statusCode === 200) resolve(parsed)
          else reject(new UsageError(parsed.error ?? `the process answers ${answer.statusCode}`))
        })
      },
    )
    call.on('error', (cause) =>
      reject(
        new EnvironmentError(`no process of ${directory} listens: ${cause.message}`, {
          field: '--data',
          fix: 'start `tickwire up` or `tickwire run ingestion` on that directory',
          cause,
        }),
      ),
    )
    call.end(JSON.stringify(body))
  })
}
