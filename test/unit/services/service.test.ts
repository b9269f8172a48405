import { expect, test } from 'vitest'
import { FeedConnectionError, ServiceError } from '../../../src/core/errors.js'
import { type Logger, silentLogger } from '../../../src/core/logging.js'
import { Metrics } from '../../../src/core/metrics.js'
import { type ConsumerOptions, StreamServiceBuilder } from '../../../src/services/builder.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { FakeComponent } from '../../support/fake-component.js'

function bench() {
  const journal: string[] = []
  const clock = new FakeClock()
  const metrics = new Metrics()
  const asked: ConsumerOptions<string>[] = []
  const streams = {
    createProducer: (topic: string) => new FakeComponent(`producer ${topic}`, journal),
    createConsumer: (options: ConsumerOptions<string>) => {
      asked.push(options)
      return new FakeComponent(`consumer ${options.groupId}`, journal)
    },
  }
  return { journal, clock, metrics, asked, settings: { clock, metrics, streams, random: () => 0.5 } }
}

test('built from producers, natives and handlers: started in that order, stopped in reverse', async () => {
  const { journal, asked, settings } = bench()
  const service = new StreamServiceBuilder('bars', { intervals: ['1s'] }, settings)
    .withMetrics()
    .withErrorHandling()
    .addProducer('out')
    .addConsumerHandler(['market.crypto.trades.binance'], 'bars.paper', 'handler')
    .addNative(new FakeComponent('native', journal))
    .build()
  expect(service.config).toEqual({ intervals: ['1s'] })
  expect(service.producers).toHaveLength(1)
  expect(asked).toEqual([
    {
      service: 'bars',
      topics: ['market.crypto.trades.binance'],
      groupId: 'bars.paper',
      handler: 'handler',
      hasErrorHandling: true,
      hasMetrics: true,
    },
  ])
  await service.start()
  expect(service.health()).toMatchObject({ service: 'bars', state: 'running', status: 'ok' })
  await service.stop()
  await service.stop()
  expect(journal).toEqual([
    'start producer out',
    'start native',
    'start consumer bars.paper',
    'stop consumer bars.paper',
    'stop native',
    'stop producer out',
  ])
  expect(service.state).toBe('stopped')
})

test('what cannot work is refused when it is built', () => {
  const { settings } = bench()
  const builder = () => new StreamServiceBuilder('x', {}, settings)
  expect(() => new StreamServiceBuilder('Bad Name', {}, settings)).toThrow(ServiceError)
  expect(() => builder().build()).toThrow(/no component/)
  expect(() => builder().addConsumerHandler([], 'g', 'h')).toThrow(/needs a topic/)
  expect(() => builder().addConsumerHandler(['t'], '../g', 'h')).toThrow(/not a group id/)
  expect(() => builder().addProducer('a').addProducer('a').build()).toThrow(/two components named producer a/)
  expect(() => new StreamServiceBuilder<object, string, string>('x', {}, {}).addProducer('a').build()).toThrow(/no log/)
})

test('a start that fails half-way stops what had started and says why', async () => {
  const { journal, metrics, settings } = bench()
  const [a, b, c] = ['a', 'b', 'c'].map((n) => new FakeComponent(n, journal)) as [FakeComponent, FakeComponent, FakeComponent]
  b.startError = new FeedConnectionError('no route')
  const service = new StreamServiceBuilder('x', {}, settings).withMetrics().addNative(a).addNative(b).addNative(c).build()
  await expect(service.start()).rejects.toThrow('no route')
  expect(journal).toEqual(['start a', 'start b', 'stop b', 'stop a'])
  expect(service.health()).toMatchObject({ state: 'failed', status: 'failed', error: { code: 'MD_FEED_CONNECTION' } })
  expect(await metrics.text()).toContain('errors_total{service="x",code="MD_FEED_CONNECTION"} 1')
  b.startError = undefined
  await service.start()
  expect(service.state).toBe('running')
})

test('a component that fails later stops the service and tells once', async () => {
  const { journal, settings } = bench()
  const [a, b] = [new FakeComponent('a', journal), new FakeComponent('b', journal)]
  const service = new StreamServiceBuilder('x', {}, settings).addNative(a).addNative(b).build()
  const failures: string[] = []
  service.onFailure((error) => failures.push(error.message))
  await service.start()
  b.context?.fail(new Error('broken'))
  a.context?.fail(new Error('too'))
  await settle()
  expect(failures).toEqual(['broken'])
  expect(journal.slice(2)).toEqual(['stop b', 'stop a'])
  expect(service.health()).toMatchObject({ state: 'failed', error: { message: 'broken' } })
})

test('a component that hangs or throws on stop does not keep the others', async () => {
  const { journal, clock, settings } = bench()
  const [a, b, c] = ['a', 'b', 'c'].map((n) => new FakeComponent(n, journal)) as [FakeComponent, FakeComponent, FakeComponent]
  c.stopNever = true
  b.stopError = new Error('x')
  const service = new StreamServiceBuilder('x', {}, { ...settings, drainMsMax: 500 })
    .addNative(a)
    .addNative(b)
    .addNative(c)
    .build()
  await service.start()
  const stopped = service.stop()
  await clock.advance(500)
  await stopped
  expect(journal.slice(3)).toEqual(['stop c', 'stop b', 'stop a'])
  expect(clock.timers).toBe(0)
})

test('totals are collected while it runs and once more when it stops; health shows the worst component', async () => {
  const { metrics, settings } = bench()
  const a = new FakeComponent('a')
  const service = new StreamServiceBuilder('x', {}, settings).withMetrics().addNative(a).build()
  await service.start()
  a.count = 3
  expect(await metrics.text()).toContain('processor_messages_total{processor="a"} 3')
  a.status = { status: 'degraded', details: { reconnecting: true } }
  expect(service.health()).toMatchObject({ status: 'degraded', components: { a: { details: { reconnecting: true } } } })
  a.count = 7
  await service.stop()
  expect(await metrics.text()).toContain('processor_messages_total{processor="a"} 7')
})

test('a component whose totals cannot be collected is told of, and takes nobody else’s along', async () => {
  const { metrics, settings } = bench()
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new FakeComponent(name)) as [FakeComponent, FakeComponent, FakeComponent]
  Object.assign(a, { collect: () => Promise.reject(new Error('away')) })
  Object.assign(b, {
    collect: () => {
      throw new Error('gone')
    },
  })
  const warned: unknown[] = []
  const logger: Logger = { ...silentLogger, child: () => logger, warn: (fields: object) => void warned.push(fields) }
  const service = new StreamServiceBuilder('x', {}, { ...settings, logger })
    .withMetrics()
    .addNative(a)
    .addNative(b)
    .addNative(c)
    .build()
  await service.start()
  c.count = 3
  expect(await metrics.text()).toContain('processor_messages_total{processor="c"} 3')
  expect(warned).toMatchObject([{ component: 'b' }, { component: 'a' }])
  c.count = 7
  await service.stop()
  await settle()
  expect(await metrics.text()).toContain('processor_messages_total{processor="c"} 7')
  expect(warned).toHaveLength(4)
})

test('a stop during a slow start leaves nothing running', async () => {
  const { journal, settings } = bench()
  const [a, b, c] = ['a', 'b', 'c'].map((n) => new FakeComponent(n, journal)) as [FakeComponent, FakeComponent, FakeComponent]
  let connected = () => {}
  const start = b.start.bind(b)
  b.start = async (context) => {
    await new Promise<void>((resolve) => {
      connected = resolve
    })
    await start(context)
  }
  const service = new StreamServiceBuilder('x', {}, settings).addNative(a).addNative(b).addNative(c).build()
  const started = service.start()
  await settle()
  const stopped = service.stop()
  await settle()
  expect(service.state).toBe('stopping')
  connected()
  await expect(started).rejects.toThrow('stopped while it started')
  await stopped
  expect(service.state).toBe('stopped')
  expect(journal).toEqual(['start a', 'stop b', 'stop a', 'start b', 'stop b'])
})
