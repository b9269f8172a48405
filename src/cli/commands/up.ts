import type { Command } from 'commander'
import { serviceNames } from '../../services/up.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { runServices } from '../run-services.js'
import { type ServiceOptions, settingsOf, withServiceOptions } from '../service-options.js'

export function upCommand(io: Io): Command {
  return withServiceOptions(
    commandOf('up', 'run ingestion, bars and the gateway in one process, until SIGINT or SIGTERM', [
      'up --venue binance --symbols BTCUSDT,ETHUSDT',
      'up --config tickwire.yaml --data /var/lib/tickwire',
    ]),
  ).action(async (options: ServiceOptions) => {
    await runServices(io, { settings: settingsOf(io, options), names: serviceNames })
  })
}
