import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CheckFailedError } from '../../core/errors.js'
import { verifyLog } from '../../native/journal-admin.js'
import { commandOf, openToRead } from '../command.js'
import type { Io } from '../io.js'
import { bytesText, factsText, formatOf, formatOption } from '../output.js'
import { listOf } from '../places.js'
import { countText, Progress } from '../progress.js'

export function verifyCommand(io: Io): Command {
  return commandOf('verify', 'check a log: CRC of every message, order of offsets, (epoch, seq) of every stream', [
    'verify ./data',
    'verify ./data --hash --format json',
    'verify ./data --hash --topics market.crypto.trades.binance',
  ])
    .argument('<dir>', 'the data directory')
    .option('--hash', 'also print the record hash: the same records give the same hash, however they were batched')
    .option('--topics <list>', 'only these, separated by commas')
    .addOption(formatOption())
    .action(async (dir: string, options: { hash?: boolean; topics?: string; format?: string }) => {
      const runtime = await openToRead(io, dir)
      const topics =
        options.topics === undefined
          ? undefined
          : listOf(options.topics).flatMap((t) => runtime.topics.resolve(t).map((c) => c.name))
      const held = new Set((await runtime.log.topics()).map((t) => t.name))
      await runtime.close()
      let seen = { bytesDone: 0, bytesTotal: 0, records: 0 }
      const progress = new Progress(io, (s) => {
        const share = seen.bytesTotal === 0 ? 0 : Math.floor((100 * seen.bytesDone) / seen.bytesTotal)
        return `verifying ${share} % · ${countText(seen.records)} records · ${bytesText(seen.bytesDone / s)}/s`
      })
      const report = await verifyLog(
        resolve(dir),
        { hash: options.hash ?? false, ...(topics === undefined ? {} : { topics: topics.filter((t) => held.has(t)) }) },
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
        io.err(
          `damage: ${d.topic} partition ${d.partition}: offsets ${d.fromOffset} to ${d.toOffset - 1n} at ${d.file}:${d.filePosition}\n`,
        )
      }
      if (report.damageCount > 0 || report.badBatches > 0) {
        throw new CheckFailedError(
          `${dir}: ${report.damageCount} damaged stretches, ${report.badBatches} messages that are no batch`,
        )
      }
    })
}
