import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PoisonRecordError } from '../../../src/core/errors.js'
import { silentLogger } from '../../../src/core/logging.js'
import { openRuntime, type ProducerComponent, type Runtime, StreamServiceBuilder } from '../../../src/services/index.js'
import { loadSettings } from '../../../src/services/settings.js'
import { until } from '../../support/until.js'

const TOPIC = 'market.crypto.raw.binance'
let directory = ''
let runtime: Runtime
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tickwire-streams-'))
  const settings = loadSettings({ environment: {}, given: { data_dir: directory } })
  runtime = await openRuntime({ settings, service: 'test', logger: silentLogger })
})
afterEach(async () => {
  await runtime.close()
  rmSync(directory, { recursive: true, force: true })
})
const value = (text: string) => ({ kind: 'opaque', value: new TextEncoder().encode(text) }) as const

test('a service of a producer and a handler: what is appended is handled, poison is dead-lettered, counted and shown', async () => {
  const seen: string[] = []
  const service = new StreamServiceBuilder('checker', {}, runtime)
    .withMetrics()
    .withErrorHandling()
    .addProducer({ topic: TOPIC })
    .addConsumerHandler([TOPIC], 'checker', async (batch) => {
      if (batch.key === 'BAD') return { failed: [{ index: 0, error: new PoisonRecordError('no sense in it') }] }
      seen.push(batch.key)
      return undefined
    })
    .build()
  await service.start()
  const producer = service.producers[0] as ProducerComponent
  for (const key of ['A', 'BAD', 'B', 'C']) expect((await producer.append(key, value(key))).status).toBe('ok')
  await until('all handled', () => seen.length === 3)
  await until('the dead letter', async () => {
    for (let partition = 0; partition < 4; partition++) {
      if (((await runtime.log.describe(`${TOPIC}.dlq`, partition))?.endOffset ?? 0) > 0) return true
    }
    return false
  })
  const text = await runtime.metrics.text()
  expect(text).toContain('tickwire_dead_letters_total{group="checker"} 1')
  expect(text).toContain('tickwire_handler_records_total{group="checker"} 4')
  expect(text).toMatch(/processor_latency_seconds_count\{processor="checker"\} 4/)
  expect(text).toContain(`kafka_consumer_lag{group="checker",topic="${TOPIC}",partition="3"} 0`)
  expect(text).toContain(`tickwire_consumer_lag_ms{group="checker",topic="${TOPIC}",partition="0"} 0`)
  expect(text).toContain('tickwire_exchange_lag_messages{group="checker",exchange="binance"} 0')
  const declared = runtime.topics.get(`${TOPIC}.dlq`)
  const made = (await runtime.log.topics()).find(({ name }) => name === `${TOPIC}.dlq`)
  expect(made).toMatchObject({ retentionMs: declared.retentionMs, segmentBytes: declared.segmentBytes })
  expect(service.health()).toMatchObject({ status: 'ok', components: { 'consumer checker': { details: { deadLetters: 1 } } } })
  await service.stop()
  expect(await runtime.metrics.text()).not.toContain('kafka_consumer_lag{')
  expect((await producer.append('D', value('D'))).status).toBe('closed')
  for (let partition = 0; partition < 4; partition++) {
    const end = (await runtime.log.describe(TOPIC, partition))?.endOffset ?? 0
    if (end > 0) expect(await runtime.log.committed('checker', TOPIC, partition)).toBe(end)
  }
})

test('without error handling a failed record fails the service', async () => {
  const service = new StreamServiceBuilder('strict', {}, runtime)
    .addProducer({ topic: TOPIC })
    .addConsumerHandler([TOPIC], 'strict', () => Promise.reject(new Error('broken')))
    .build()
  const failures: string[] = []
  service.onFailure((error) => failures.push(error.message))
  await service.start()
  await (service.producers[0] as ProducerComponent).append('A', value('A'))
  await until('the failure', () => failures.length === 1)
  expect(failures).toEqual(['broken'])
  expect(service.state).toBe('failed')
})
