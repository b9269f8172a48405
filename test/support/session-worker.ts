/**
 * One part of a replay as a process of its own: it replays a recording into a directory, makes its bars, or follows its topics.
 * Bundled by session-processes.ts; its orders come as JSON, its answer is one message. Bars and the reader work until they are
 * told that nothing more comes, and then to the end of what there is.
 */
import type { ReplayIntoOptions } from '../../src/services/replaying.js'
import { ReplaySession, type SessionBars } from './replay-session.js'

export type SessionOrders =
  | { readonly role: 'replay'; readonly directory: string; readonly options: ReplayIntoOptions }
  | { readonly role: 'bars'; readonly directory: string; readonly exchange: string; readonly bars: SessionBars }
  | { readonly role: 'read'; readonly directory: string; readonly topics: readonly string[] }

export type SessionReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly records: number }
  | { readonly kind: 'error'; readonly error: string }

const tell = (report: SessionReport): void => void process.send?.(report)
const ended = new Promise<void>((resolve) => process.once('message', () => resolve()))

async function work(orders: SessionOrders): Promise<number> {
  const session = await ReplaySession.open(orders.directory)
  try {
    if (orders.role === 'replay') return (await session.replay(orders.options)).stats.records
    tell({ kind: 'ready' })
    if (orders.role === 'bars') return (await session.bars(orders.exchange, orders.bars, ended)).bars.length
    return await session.follow(orders.topics, ended)
  } finally {
    await session.close()
  }
}

work(JSON.parse(process.argv[2] ?? '{}') as SessionOrders)
  .then(
    (records) => tell({ kind: 'done', records }),
    (error: unknown) => tell({ kind: 'error', error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
  .finally(() => process.disconnect?.())
