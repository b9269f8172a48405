/** kcat as the tests' admin client: no JVM to start, and none of our code in it. */
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'

export interface PartitionState {
  readonly partition: number
  /** -1 without one. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

export interface ClusterState {
  readonly brokers: readonly number[]
  readonly topics: ReadonlyMap<string, readonly PartitionState[]>
}

interface Listing {
  readonly brokers: readonly { id: number }[]
  readonly topics: readonly {
    topic: string
    partitions: readonly {
      partition: number
      leader: number
      replicas: readonly { id: number }[]
      isrs: readonly { id: number }[]
    }[]
  }[]
}

export interface MetadataRequest {
  /** Client properties under librdkafka's names. */
  readonly properties?: Readonly<Record<string, string>>
  readonly timeoutSeconds?: number
}

/** What a broker answers to a metadata request; fails when none answers in time. */
export async function clusterState(
  bootstrap: string,
  { properties = {}, timeoutSeconds = 5 }: MetadataRequest = {},
): Promise<ClusterState> {
  const given = Object.entries(properties).flatMap(([name, value]) => ['-X', `${name}=${value}`])
  const { stdout } = await promisify(execFile)('kcat', ['-b', bootstrap, '-L', '-J', '-m', String(timeoutSeconds), ...given])
  const listing = JSON.parse(stdout) as Listing
  const ids = (list: readonly { id: number }[]): number[] => list.map(({ id }) => id)
  return {
    brokers: ids(listing.brokers),
    topics: new Map(
      listing.topics.map(({ topic, partitions }) => [
        topic,
        partitions.map(({ partition, leader, replicas, isrs }) => ({
          partition,
          leader,
          replicas: ids(replicas),
          inSync: ids(isrs),
        })),
      ]),
    ),
  }
}

/** Produces lines of `key:value`, acknowledged by all in-sync replicas. */
export async function produceLines(
  bootstrap: string,
  topic: string,
  lines: readonly string[],
  args: readonly string[] = [],
): Promise<void> {
  const child = spawn('kcat', ['-b', bootstrap, '-P', '-t', topic, '-K', ':', '-X', 'acks=all', ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  child.stdin.end(lines.map((line) => `${line}\n`).join(''))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`kcat produced with code ${code}: ${errors}`)
}
