/** Trades for benches: whole batches of consecutive records, so that a sum over them proves that all were seen. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layout } from '../../src/wire/index.js'

const { size, type, fields } = layout.records.trade

/** `count` trade records laid end to end, seq from `first`. */
export function makeTrades(count: number, first: number): Uint8Array {
  const bytes = new Uint8Array(count * size)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < count; i++) {
    const at = i * size
    view.setUint8(at + fields.type.offset, type)
    view.setUint32(at + fields.instrument_id.offset, 1, true)
    view.setUint32(at + fields.epoch.offset, 1, true)
    view.setUint32(at + fields.seq.offset, first + i, true)
    view.setBigUint64(at + fields.ts_recv.offset, BigInt(first + i), true)
    view.setBigInt64(at + fields.price.offset, BigInt((first + i) * 3), true)
  }
  return bytes
}

/** A directory that goes away with the process. */
export function scratch(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `tickwire-${name}-`))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  return directory
}
