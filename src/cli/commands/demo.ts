import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { CheckFailedError, EnvironmentError } from '../../core/errors.js'
import { packageRoot } from '../../native/addon.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { wholeOf } from './read.js'

interface Demo {
  runDemo(options: {
    readonly seconds: number
    readonly port: number
    readonly seed: number
    readonly rate: number
    readonly kafka?: string | undefined
    readonly signal: AbortSignal
    readonly out: NodeJS.WriteStream
  }): Promise<number>
}

export function demoCommand(io: Io): Command {
  return commandOf('demo', 'a simulated venue, live bars on a page and in the terminal, and a sum that must hold', [
    'demo',
    'demo --seconds 20 --port 8080',
    'demo --seconds 20 --kafka localhost:9092',
  ])
    .option('--seconds <n>', 'end by itself after so many (DEMO_SECONDS); 0: until SIGINT')
    .option('--port <n>', 'port of the page; 0: any (DEMO_PORT)')
    .option('--seed <n>', 'what the simulated market is made from', '1')
    .option('--rate <n>', 'market events a second', '5000')
    .option('--kafka <host:port>', 'the whole demo on a Kafka cluster (DEMO_KAFKA)')
    .action(async (options: { seconds?: string; port?: string; seed: string; rate: string; kafka?: string }) => {
      const file = join(packageRoot, 'dist', 'demo', 'index.js')
      if (!existsSync(file))
        throw new EnvironmentError('the demo is not built', { file, fix: 'run `make demo`, or `npm run build`' })
      const demo = (await import(pathToFileURL(file).href)) as Demo
      const code = await demo.runDemo({
        seconds: wholeOf(options.seconds ?? io.environment.DEMO_SECONDS ?? '0', '--seconds'),
        port: wholeOf(options.port ?? io.environment.DEMO_PORT ?? '8080', '--port'),
        seed: wholeOf(options.seed, '--seed'),
        rate: wholeOf(options.rate, '--rate'),
        kafka: options.kafka ?? io.environment.DEMO_KAFKA,
        signal: io.signal,
        out: process.stdout,
      })
      if (code !== 0) throw new CheckFailedError('what was produced is not what was delivered plus what was said to be lost')
    })
}
