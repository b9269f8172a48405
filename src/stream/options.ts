/** The gateway's settings, as they stand in configuration. Names and defaults are listed in docs/reference/websocket.md. */
import { z } from 'zod'

const bytes = (least: number) =>
  z
    .number()
    .int()
    .min(least)
    .max(2 ** 30)
const milliseconds = (least: number, most: number) => z.number().int().min(least).max(most)

export const gatewayOptionsSchema = z.strictObject({
  /** Loopback by default: the stream has no login of its own. */
  host: z.string().min(1).default('127.0.0.1'),
  /** 0: any free one. */
  port: z.number().int().min(0).max(65535).default(9090),
  path: z.string().startsWith('/').default('/stream'),
  topics: z.array(z.string().min(1)).default([]),
  /** Origins of other sites' pages that may connect; '*': any. The page's own always may. */
  origins: z.array(z.string()).default([]),
  /** Host names a request may ask for; empty: on loopback its own names, elsewhere any. */
  hosts: z.array(z.string()).default([]),
  /** Serve the page (dist/web) on the same port. */
  page: z.boolean().default(true),
  limits: z
    .strictObject({
      clients: z.number().int().min(1).max(1_000_000).default(10_000),
      clientBytes: bytes(4096).default(1 << 20),
      snapshotBytes: bytes(4096).default(8 << 20),
      controlBytes: bytes(4096).default(256 << 10),
      messageBytes: bytes(256).default(64 << 10),
      frameBytes: bytes(4096).default(64 << 10),
      subscriptionsPerClient: z.number().int().min(1).max(65535).default(64),
      /** SO_SNDBUF; 0: the kernel's own choice. */
      sendBufferBytes: z
        .number()
        .int()
        .min(0)
        .max(2 ** 30)
        .default(0),
    })
    .prefault({}),
  pingIntervalMs: milliseconds(10, 3_600_000).default(15_000),
  idleTimeoutMs: milliseconds(20, 3_600_000).default(45_000),
  httpTimeoutMs: milliseconds(10, 600_000).default(5_000),
  closeTimeoutMs: milliseconds(10, 600_000).default(2_000),
  /** Bars per stream kept for snapshots. */
  barHistory: z.number().int().min(1).max(100_000).default(500),
  /** Records, and of ohlcv topics bars, per partition read at the start for last values. */
  warmRecords: z.number().int().min(0).default(65_536),
  warmBars: z
    .number()
    .int()
    .min(0)
    .default(1 << 20),
  instrumentWaitMs: milliseconds(0, 60_000).default(1_000),
})

export type GatewayOptions = z.infer<typeof gatewayOptionsSchema>
export type GatewayOptionsInput = z.input<typeof gatewayOptionsSchema>

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** A page elsewhere can point its own name at 127.0.0.1; on loopback only loopback's names are answered. */
export const allowedHosts = (options: GatewayOptions): readonly string[] =>
  options.hosts.length === 0 && loopback.has(options.host) ? ['localhost', '127.0.0.1', '[::1]'] : options.hosts
