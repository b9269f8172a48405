import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Command } from 'commander'
import { type MasterVenue, masterVenues, readMaster } from '../../adapters/masters.js'
import { UsageError } from '../../core/errors.js'
import { gzipError } from '../../ingestion/sources/file-chunks.js'
import { type ExchangeTable, loadExchanges } from '../../model/exchanges.js'
import { symbolOf } from '../../model/symbols.js'
import { decodePacketsRaw, decodeRecords, type Listing } from '../../native/decode.js'
import { createInstruments, type NativeInstruments } from '../../native/instruments.js'
import { exchangesFileOf, loadSettings } from '../../services/settings.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { listOf } from '../places.js'

const BYTES_MAX = 1 << 30

interface DecodeOptions {
  readonly packet?: boolean
  readonly records?: boolean
  readonly master?: string
  readonly symbols?: string
  readonly exchange?: string
}

/** A file's bytes, gunzipped when it is gzip. */
export function fileBytes(file: string): Uint8Array {
  const bytes = readFileSync(file)
  if (bytes.length < 3 || bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: BYTES_MAX })
  } catch (error) {
    throw gzipError(file, error)
  }
}

export function decodeCommand(io: Io): Command {
  return commandOf(
    'decode',
    'decode a venue’s bytes: one JSON line per packet with the venue’s own fields as raw integers, or records',
    [
      'decode kite frames.bin',
      'decode kite ticker_full.bin --packet',
      'decode kite frames.bin --records --master instruments.csv.gz',
      'decode binance message.json --records --symbols BTCUSDT',
    ],
  )
    .argument('<venue>', 'whose bytes: kite, dhan, dbn, binance, binance_usdm, binance_coinm, coinbase, kraken')
    .argument('<file>', 'a frame, or a file of frames, plain or gzip')
    .option('--packet', 'the file is one bare packet, without a frame around it')
    .option('--records', 'print what a feed would make of it, as records')
    .option('--master <file>', 'with --records: the venue’s instrument master, CSV, plain or gzip (kite, dhan)')
    .option('--symbols <list>', 'with --records: the instruments by name (all other venues)')
    .option('--exchange <name>', 'with --symbols: the symbol space (default the venue’s)')
    .action(async (venue: string, file: string, options: DecodeOptions) => {
      const bytes = fileBytes(file)
      const decoded =
        options.records === true ? recordsOf(io, venue, bytes, options) : packetsOf(venue, bytes, options.packet ?? false)
      await io.out(decoded.text)
      const counts = Object.entries(decoded.counts).filter(([, count]) => count > 0)
      if (counts.length > 0) io.err(`counted: ${counts.map(([reason, count]) => `${reason} ${count}`).join(', ')}\n`)
    })
}

interface Decoded {
  readonly text: Uint8Array
  readonly counts: Readonly<Record<string, number>>
}

function packetsOf(venue: string, bytes: Uint8Array, packet: boolean): Decoded {
  try {
    return decodePacketsRaw(venue, bytes, { packet })
  } catch (error) {
    throw new UsageError((error as Error).message, { field: 'venue', cause: error })
  }
}

/** Ids are those of this run alone: no registry is asked. */
function recordsOf(io: Io, venue: string, bytes: Uint8Array, options: DecodeOptions): Decoded {
  const exchanges = loadExchanges(exchangesFileOf(loadSettings({ environment: io.environment })))
  const instruments = createInstruments()
  const listings = masterVenues.includes(venue as MasterVenue)
    ? ofMaster(venue as MasterVenue, options.master, exchanges, instruments)
    : ofSymbols(venue, options, exchanges, instruments)
  try {
    return decodeRecords(venue, options.packet === true ? framed(venue, bytes) : bytes, instruments, listings, { text: true })
  } catch (error) {
    throw new UsageError((error as Error).message, { field: 'venue', cause: error })
  }
}

/** Kite's frame around one packet; other venues' packets are frames. */
function framed(venue: string, packet: Uint8Array): Uint8Array {
  if (venue !== 'kite') return packet
  const frame = new Uint8Array(packet.length + 4)
  new DataView(frame.buffer).setUint16(0, 1)
  new DataView(frame.buffer).setUint16(2, packet.length)
  frame.set(packet, 4)
  return frame
}

function ofMaster(
  venue: MasterVenue,
  file: string | undefined,
  exchanges: ExchangeTable,
  instruments: NativeInstruments,
): Listing[] {
  if (file === undefined)
    throw new UsageError(`records of ${venue} need its instrument master`, {
      field: '--master',
      fix: 'give the CSV that the venue publishes',
    })
  const { rows } = readMaster(venue, new TextDecoder().decode(fileBytes(file)), file)
  const ordinals = new Map<string, number>()
  return rows.map(({ exchange: name, listing, venueKey }) => {
    const exchange = exchanges.get(name)
    const ordinal = (ordinals.get(name) ?? 0) + 1
    ordinals.set(name, ordinal)
    const id = exchange.number * 0x100_0000 + ordinal
    instruments.add(id, listing.symbol, exchange.priceExponent, exchange.sizeExponent)
    return [id, listing.symbol, venueKey]
  })
}

function ofSymbols(venue: string, options: DecodeOptions, exchanges: ExchangeTable, instruments: NativeInstruments): Listing[] {
  if (options.symbols === undefined)
    throw new UsageError('records need instruments', { field: '--symbols', fix: 'give --symbols, as the venue spells them' })
  const exchange = exchanges.get(options.exchange ?? (venue === 'dbn' ? 'glbx' : venue))
  return listOf(options.symbols).map((venueSymbol, i) => {
    const id = exchange.number * 0x100_0000 + i + 1
    instruments.add(id, symbolOf(venueSymbol), exchange.priceExponent, exchange.sizeExponent)
    return [id, venueSymbol, 0n]
  })
}
