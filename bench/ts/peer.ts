/** The bench's own addon (bench/native/peer_addon.cc) and what several benches share. */
import { createRequire } from 'node:module'
import { join } from 'node:path'

interface PeerAddon {
  kiteFrame(frame: Uint8Array): number
  binanceLines(chunk: Uint8Array): number
  tickPerCall(count: number, callback: (id: number, price: number, seq: number) => void): Promise<void>
}
export const peer = createRequire(import.meta.url)(
  join(process.cwd(), 'build', 'bench-addon', 'tickwire_bench.node'),
) as PeerAddon

/** The checksum step of both sides, on 32-bit integers. */
export const mix = (hash: number, value: number): number => Math.imul(hash ^ value, -1640531535) >>> 0
