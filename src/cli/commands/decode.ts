import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Command } from 'commander'
import { UsageError } from '../../core/errors.js'
import { decodePacketsRaw } from '../../native/decode.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'

const BYTES_MAX = 1 << 31

/** A file's bytes, gunzipped when it is gzip. */
export function fileBytes(file: string): Uint8Array {
  const bytes = readFileSync(file)
  if (bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes, { maxOutputLength: BYTES_MAX })
  return bytes
}

export function decodeCommand(io: Io): Command {
  return commandOf('decode', 'decode a venue’s bytes: one JSON line per packet, with the venue’s own fields as raw integers', [
    'decode kite frames.bin',
    'decode kite ticker_full.bin --packet',
    'decode dhan frame.bin | jq .',
  ])
    .argument('<venue>', 'whose bytes: kite, dhan, dbn, binance, binance_usdm, binance_coinm, coinbase, kraken')
    .argument('<file>', 'a file of frames, plain or gzip')
    .option('--packet', 'the file is one bare packet, without a frame around it')
    .action(async (venue: string, file: string, options: { packet?: boolean }) => {
      const bytes = fileBytes(file)
      let decoded: ReturnType<typeof decodePacketsRaw>
      try {
        decoded = decodePacketsRaw(venue, bytes, { packet: options.packet ?? false })
      } catch (error) {
        throw new UsageError((error as Error).message, { field: 'venue', cause: error })
      }
      await io.out(decoded.text)
      const counts = Object.entries(decoded.counts).filter(([, count]) => count > 0)
      if (counts.length > 0) io.err(`counted: ${counts.map(([reason, count]) => `${reason} ${count}`).join(', ')}\n`)
    })
}
