import type { Command } from 'commander'
import { servicesOf } from '../../services/up.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { runServices } from '../run-services.js'
import { type ServiceOptions, settingsOf, withServiceOptions } from '../service-options.js'

export function upCommand(io: Io): Command {
  return withServiceOptions(
    commandOf('up', 'run ingestion, bars, the gateway and with Kafka the views in one process, until SIGINT or SIGTERM', [
      'up --venue binance --symbols BTCUSDT,ETHUSDT',
      'up --config tickwire.yaml --data /var/lib/tickwire',
      'up --kafka localhost:9092 --venue binance --symbols BTCUSDT',
    ]),
  ).action(async (options: ServiceOptions) => {
    const settings = settingsOf(io, options)
    await runServices(io, { settings, names: servicesOf(settings) })
  })
}
