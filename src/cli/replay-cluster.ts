/** `replay --kafka`: the recording in the local log goes to the cluster. A topic that would delete it at once is told first. */
import { drainToCluster, expiringTopics, replayedTopics } from '../services/cluster-replay.js'
import type { ReplayIntoResult } from '../services/replaying.js'
import type { Runtime } from '../services/runtime.js'
import type { Io } from './io.js'
import type { Row } from './output.js'
import { countText, Progress } from './progress.js'

export async function drainReplay(io: Io, runtime: Runtime, { exchange, topics }: ReplayIntoResult): Promise<Row> {
  const configs = replayedTopics(runtime, exchange, topics)
  await runtime.ensureTopics(configs)
  for (const name of await expiringTopics(runtime, configs)) {
    io.err(
      `warning: ${name} keeps records for less time than this recording is old: Kafka counts from now and deletes them when it next looks\n` +
        `  fix: declare \`${name}: { retention: forever }\` under topics in topics.yaml, then \`tickwire topics apply\`\n`,
    )
  }
  let seen = { acknowledged: 0, total: 0, waitsFor: undefined as string | undefined }
  const progress = new Progress(io, (s) => {
    const waits = seen.waitsFor === undefined ? '' : ` · waits: ${seen.waitsFor}`
    return `draining ${countText(seen.acknowledged)} of ${countText(seen.total)} · ${countText(seen.acknowledged / s)}/s${waits}`
  })
  try {
    const { records, repeats } = await drainToCluster(runtime, configs, {
      signal: io.signal,
      onProgress: ({ acknowledged, total, waitsFor }) => {
        seen = { acknowledged, total, waitsFor }
      },
    })
    return { drained: records, already_there: repeats }
  } finally {
    progress.end()
  }
}
