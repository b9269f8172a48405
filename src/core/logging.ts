/**
 * Structured logging: one JSON object a line on stderr (a terminal gets one readable line instead). Standard output belongs to
 * data. Every line carries the service and, inside a correlated piece of work, its correlation id.
 */
import { Writable } from 'node:stream'
import { pino, stdSerializers } from 'pino'
import { correlationId } from './correlation.js'
import { PlatformError } from './errors.js'
import { redact, redactText } from './redact.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const

export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(bindings: Record<string, unknown>): Logger
}

export interface LoggerOptions {
  readonly service: string
  readonly level?: LogLevel
  /** Where lines go; standard error when not given. */
  readonly write?: (line: string) => void
  readonly pretty?: boolean
}

export function createLogger(options: LoggerOptions): Logger {
  const pretty = options.pretty ?? (options.write === undefined && process.stderr.isTTY === true)
  const write = options.write ?? ((line: string) => void process.stderr.write(line))
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      const line = chunk.toString()
      write(pretty ? prettyLine(line) : line)
      done()
    },
  })
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: (fields) => redact(fields) },
      serializers: { error: serializeError, err: serializeError },
      mixin: () => {
        const id = correlationId()
        return id === undefined ? {} : { correlation_id: id }
      },
    },
    stream,
  ) as unknown as Logger
}

/** For tests and tools that want no log. */
export const silentLogger: Logger = createLogger({ service: 'silent', level: 'silent' })

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? redactText(error) : error
  const plain = stdSerializers.err(error)
  const out: Record<string, unknown> = {
    type: plain.type,
    message: redactText(error.message),
    stack: redactText(error.stack ?? ''),
  }
  if (error instanceof PlatformError) {
    out.code = error.code
    out.retry_class = error.retryClass
    if (error.file !== undefined) out.file = error.file
    if (error.field !== undefined) out.field = error.field
  } else if ('code' in error) out.code = error.code
  if (error.cause !== undefined) out.cause = error.cause instanceof Error ? redactText(error.cause.message) : String(error.cause)
  return out
}

const known = new Set(['level', 'time', 'service', 'msg'])

/** One line for people: time, level, service, message, then the fields. */
export function prettyLine(json: string): string {
  try {
    const line = JSON.parse(json) as Record<string, unknown>
    const rest = Object.entries(line)
      .filter(([key]) => !known.has(key))
      .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(' ')
    const time = String(line.time).slice(11, 23)
    return `${time} ${String(line.level).padEnd(5)} ${String(line.service)}: ${String(line.msg ?? '')}${rest === '' ? '' : `  ${rest}`}\n`
  } catch {
    return json
  }
}
