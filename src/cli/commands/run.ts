import { Argument, type Command } from 'commander'
import { type ServiceName, serviceNames } from '../../services/up.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { runServices } from '../run-services.js'
import { type ServiceOptions, settingsOf, withServiceOptions } from '../service-options.js'

export function runCommand(io: Io): Command {
  return withServiceOptions(
    commandOf('run', 'run one service; several processes share one data directory, or one cluster', [
      'run ingestion --config tickwire.yaml',
      'run bars --exchanges binance --intervals 1s,1m --http-port 9101',
      'run views --kafka localhost:9092 --exchanges binance --http-port 9102',
      'INSTANCE_ID=2 TOTAL_INSTANCES=3 tickwire run ingestion --config tickwire.yaml',
    ]).addArgument(new Argument('<service>', `which one: ${serviceNames.join(', ')}`).choices([...serviceNames])),
  ).action(async (service: ServiceName, options: ServiceOptions) => {
    await runServices(io, { settings: settingsOf(io, options), names: [service] })
  })
}
