/** Faults of a load's members. */
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../until.js'
import type { SeededRandom } from '../../venues/random.js'
import type { ConsumeStatus } from './orders.js'
import { type LoadProcess, timed } from './processes.js'
import type { LoadRun } from './run.js'

const SHARE_MS_MAX = 60_000
const TAKE_MS_MAX = 60_000

/** A second member gets its share, then dies, freezes or hangs: ms until the first has all partitions again. */
export async function takenOver(run: LoadRun, fault: 'kill' | 'freeze' | 'hang', random: SeededRandom): Promise<number> {
  const [first] = run.members
  if (first === undefined) throw new Error('the run has no member')
  const second = await run.join()
  const half = run.partitions / 2
  const shared = (): boolean => first.status.assigned.length === half && second.status.assigned.length === half
  await until('the members to share', shared, SHARE_MS_MAX)
  await run.flows()
  await pause(random.integer(500, 2_000))
  const all = (): boolean => first.status.assigned.length === run.partitions
  if (fault === 'kill') {
    const killed = run.leave(second, 'kill')
    const tookMs = await timed('its partitions to be owned again', all, TAKE_MS_MAX)
    await killed
    return tookMs
  }
  if (fault === 'freeze') second.signal('SIGSTOP')
  else second.order('hang')
  const tookMs = await timed('its partitions to be owned again', all, TAKE_MS_MAX)
  await run.flows()
  if (fault === 'freeze') second.signal('SIGCONT')
  await until('it to be a member again', shared, SHARE_MS_MAX)
  await run.flows()
  return tookMs
}

/** Members join at seeded moments and are stopped or killed when they own something, all begun within the time. Tells what was done. */
export async function storm(
  run: LoadRun,
  { members, withinMs }: { readonly members: number; readonly withinMs: number },
  random: SeededRandom,
): Promise<string> {
  const kills: boolean[] = []
  const comeAndGo = async (): Promise<void> => {
    await pause(random.integer(0, withinMs / 2))
    const member: LoadProcess<ConsumeStatus> = await run.join()
    await pause(random.integer(0, withinMs / 2))
    await until('it to own a partition', () => member.status.assigned.length > 0, SHARE_MS_MAX)
    const dies = random.chance(0.5)
    kills.push(dies)
    await run.leave(member, dies ? 'kill' : 'stop')
  }
  await Promise.all(Array.from({ length: members }, comeAndGo))
  await run.flows()
  return `${members} members came and went within ${withinMs} ms, ${kills.filter(Boolean).length} by kill -9`
}
