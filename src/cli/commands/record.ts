import { resolve } from 'node:path'
import type { Command } from 'commander'
import { UsageError } from '../../core/errors.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { runServices } from '../run-services.js'
import { type ServiceOptions, settingsOf, withServiceOptions } from '../service-options.js'
import { wholeOf } from './read.js'

export function recordCommand(io: Io): Command {
  return withServiceOptions(
    commandOf('record', 'record the raw frames of a live feed, with its session openings; its records go to the log as well', [
      'record btc.twr --venue binance --symbols BTCUSDT --seconds 60',
      'replay btc.twr --venue binance --data ./again',
    ])
      .argument('<file>', 'where the frames go')
      .option('--seconds <n>', 'end by itself; without it until SIGINT'),
  ).action(async (file: string, options: ServiceOptions & { seconds?: string }) => {
    if (options.venue === undefined)
      throw new UsageError('recording needs a feed', { field: '--venue', fix: 'give --venue and --symbols' })
    const settings = settingsOf(io, options, { record_to: resolve(file) })
    await runServices(io, {
      settings,
      names: ['ingestion'],
      seconds: options.seconds === undefined ? undefined : wholeOf(options.seconds, '--seconds'),
    })
  })
}
