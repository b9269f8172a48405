import { expect, test } from 'vitest'
import { withCorrelation } from '../../../src/core/correlation.js'
import { ConfigError } from '../../../src/core/errors.js'
import { createLogger, prettyLine } from '../../../src/core/logging.js'
import { isSecretName, redact } from '../../../src/core/redact.js'

function capture() {
  const lines: string[] = []
  return { lines, logger: createLogger({ service: 'ingestion', write: (line) => lines.push(line), pretty: false }) }
}

test('a line is JSON with service, level, fields and correlation id', () => {
  const { lines, logger } = capture()
  withCorrelation('abc', () => logger.child({ feed: 'binance' }).info({ frames: 3 }, 'opened'))
  logger.debug({}, 'not shown')
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    service: 'ingestion',
    feed: 'binance',
    frames: 3,
    msg: 'opened',
    correlation_id: 'abc',
  })
})

test('secrets are cut out of fields, nested fields and URLs', () => {
  const { lines, logger } = capture()
  logger.warn(
    { api_key: 'k1', feed: { access_token: 'k2', url: 'wss://me:k3@host/?token=k4&x=1' }, instrument_token: 408065 },
    'x',
  )
  logger.error({ error: new ConfigError('wss://u:k5@h', { field: 'url' }) }, 'y')
  expect(lines.join()).not.toMatch(/k[1-5]/)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ instrument_token: 408065 })
  expect(JSON.parse(lines[1] ?? '').error).toMatchObject({ code: 'MD_CONFIG', field: 'url' })
  expect(isSecretName('password')).toBe(true)
  expect(redact({ a: [{ secret: 1 }] })).toEqual({ a: [{ secret: '[redacted]' }] })
})

test('a correlation id from outside is used only when it is harmless', () => {
  const { lines, logger } = capture()
  withCorrelation('bad\nid', () => logger.info({}, 'x'))
  expect(JSON.parse(lines[0] ?? '').correlation_id).toMatch(/^[0-9a-f-]{36}$/)
})

test('a terminal gets one readable line', () => {
  expect(prettyLine('{"level":"info","time":"2026-01-02T03:04:05.678Z","service":"bars","msg":"started","n":1}')).toBe(
    '03:04:05.678 info  bars: started  n=1\n',
  )
  expect(prettyLine('not json')).toBe('not json')
})
