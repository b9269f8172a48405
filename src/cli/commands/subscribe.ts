import { resolve } from 'node:path'
import type { Command } from 'commander'
import { symbolOf } from '../../model/symbols.js'
import { callControl } from '../../services/control.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { factsText, formatOf, formatOption } from '../output.js'
import { listOf } from '../places.js'

const wishCommand = (io: Io, verb: 'subscribe' | 'unsubscribe', description: string): Command =>
  commandOf(verb, description, [
    `${verb} SOLUSDT --exchange binance`,
    `${verb} SOLUSDT,XRPUSDT --exchange binance_usdm --data ./data`,
  ])
    .argument('<symbols>', 'symbols, separated by commas')
    .requiredOption('--exchange <name>', 'whose symbols')
    .option('--data <dir>', 'the data directory of the running process', './data')
    .addOption(formatOption())
    .action(async (symbols: string, options: { exchange: string; data: string; format?: string }) => {
      const wanted = listOf(symbols).map(symbolOf)
      await callControl(resolve(options.data), verb, { exchange: options.exchange, symbols: wanted })
      await io.out(factsText({ [`${verb}d`]: wanted.join(','), exchange: options.exchange }, formatOf(io, options.format)))
    })

export const subscribeCommand = (io: Io): Command => wishCommand(io, 'subscribe', 'add symbols to a feed of a running process')
export const unsubscribeCommand = (io: Io): Command =>
  wishCommand(io, 'unsubscribe', 'take symbols from a feed of a running process; their history stays')
