import type { Command } from 'commander'
import { CheckFailedError } from '../../core/errors.js'
import { verifyLog } from '../../native/journal-admin.js'
import { hashedTopics, heldTopics, ownTopics } from '../../services/reading.js'
import type { Runtime } from '../../services/runtime.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { clusterLogOption, configOption, logPlace, openToRead } from '../log-options.js'
import { bytesText, factsText, formatOf, formatOption } from '../output.js'
import { listOf } from '../places.js'
import { countText, Progress } from '../progress.js'

interface VerifyCommandOptions {
  readonly hash?: boolean
  readonly topics?: string
  readonly kafka?: string
  readonly config?: string
  readonly format?: string
}

export function verifyCommand(io: Io): Command {
  return commandOf('verify', 'check a log: CRC of every message, order of offsets, (epoch, seq) of every stream', [
    'verify ./data',
    'verify ./data --hash --format json',
    'verify --kafka localhost:9092 --hash --topics market.crypto.trades.binance',
  ])
    .argument('[dir]', 'the data directory (default ./data)')
    .addOption(clusterLogOption())
    .addOption(configOption())
    .option('--hash', 'also print the record hash: the same records give the same hash, however they were batched')
    .option('--topics <list>', 'only these, separated by commas')
    .addOption(formatOption())
    .action(async (dir: string | undefined, options: VerifyCommandOptions) => {
      const runtime = await openToRead(io, { data: dir, kafka: options.kafka, config: options.config })
      try {
        await verify(io, runtime, options)
      } finally {
        await runtime.close()
      }
    })
}

async function verify(io: Io, runtime: Runtime, options: VerifyCommandOptions): Promise<void> {
  const topics = await topicsToVerify(runtime, options)
  let seen = { bytesDone: 0, bytesTotal: 0, records: 0 }
  const progress = new Progress(io, (s) => {
    // A cluster does not tell how much it holds.
    const share = seen.bytesTotal === 0 ? '' : ` ${Math.floor((100 * seen.bytesDone) / seen.bytesTotal)} % ·`
    return `verifying${share} ${countText(seen.records)} records · ${bytesText(seen.bytesDone / s)}/s`
  })
  const report = await verifyLog(
    runtime.log.native,
    { hash: options.hash ?? false, ...(topics === undefined ? {} : { topics }) },
    (now) => {
      seen = now
    },
  ).finally(() => progress.end())
  const { damages, hash, offsetsLost, ...counts } = report
  await io.out(
    factsText(
      { ...counts, offsetsLost: Number(offsetsLost), ...(hash === undefined || hash === '' ? {} : { hash }) },
      formatOf(io, options.format),
    ),
  )
  for (const d of damages) {
    const where = d.file === '' ? '' : ` at ${d.file}:${d.filePosition}`
    io.err(`damage: ${d.topic} partition ${d.partition}: offsets ${d.fromOffset} to ${d.toOffset - 1n}${where}\n`)
  }
  if (report.damageCount > 0 || report.badBatches > 0) {
    throw new CheckFailedError(
      `${logPlace(runtime)}: ${report.damageCount} damaged stretches, ${report.badBatches} messages that are no batch`,
    )
  }
}

/** Undefined: all there are. */
async function topicsToVerify(runtime: Runtime, options: VerifyCommandOptions): Promise<string[] | undefined> {
  if (options.topics !== undefined) return await heldTopics(runtime, listOf(options.topics))
  if (runtime.kafka === undefined) return undefined
  // Only ours are judged.
  return options.hash === true ? await hashedTopics(runtime) : (await ownTopics(runtime)).map(({ name }) => name)
}
