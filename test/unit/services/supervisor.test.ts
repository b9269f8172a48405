import { expect, test } from 'vitest'
import { ConfigError, FeedConnectionError } from '../../../src/core/errors.js'
import { Metrics } from '../../../src/core/metrics.js'
import { StreamServiceBuilder } from '../../../src/services/builder.js'
import { startHttp } from '../../../src/services/http.js'
import { exitCodeOf, Supervisor } from '../../../src/services/supervisor.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { FakeComponent } from '../../support/fake-component.js'

function bench() {
  const clock = new FakeClock()
  const metrics = new Metrics()
  const supervisor = new Supervisor({ clock, metrics, random: () => 1 })
  const made: FakeComponent[] = []
  const factory = (name: string, prepare: (c: FakeComponent) => void = () => {}) => ({
    name,
    create: () => {
      const component = new FakeComponent(name)
      prepare(component)
      made.push(component)
      return new StreamServiceBuilder(name, {}, { clock, metrics }).withMetrics().addNative(component).build()
    },
  })
  return { clock, metrics, supervisor, made, factory }
}

test('a failed service is started again with back-off and shows in health meanwhile', async () => {
  const { clock, metrics, supervisor, made, factory } = bench()
  await supervisor.start([factory('bars'), factory('stream')])
  expect(supervisor.health().status).toBe('ok')
  made[0]?.context?.fail(new FeedConnectionError('lost'))
  await settle()
  expect(supervisor.health()).toMatchObject({
    status: 'failed',
    services: [
      { service: 'bars', state: 'waiting', error: { code: 'MD_FEED_CONNECTION' } },
      { service: 'stream', status: 'ok' },
    ],
  })
  expect(clock.nextDelayMs).toBe(250)
  await clock.advance(250)
  expect(supervisor.health()).toMatchObject({ status: 'ok', services: [{ service: 'bars', restarts: 1 }, { restarts: 0 }] })
  expect(made).toHaveLength(3)
  expect(await metrics.text()).toContain('tickwire_service_restarts_total{service="bars"} 1')
  await supervisor.stop()
})

test('five failures within a minute end the process with the error’s code; slower ones do not', async () => {
  const { clock, supervisor, made, factory } = bench()
  await supervisor.start([factory('feed')])
  for (let i = 0; i < 8; i++) {
    made.at(-1)?.context?.fail(new FeedConnectionError('lost'))
    await settle()
    await clock.advance(20_000)
  }
  expect(made).toHaveLength(9)

  const waits: (number | undefined)[] = []
  let ended: Error | undefined
  void supervisor.ended.then((error) => {
    ended = error
  })
  await clock.advance(60_000)
  for (let i = 0; i < 5; i++) {
    made.at(-1)?.context?.fail(new FeedConnectionError(`lost ${i}`))
    await settle()
    waits.push(clock.nextDelayMs)
    await clock.advance(waits.at(-1) ?? 0)
  }
  expect(waits).toEqual([250, 500, 1_000, 2_000, undefined])
  expect(ended?.message).toBe('lost 4')
  expect(exitCodeOf(ended)).toBe(1)
  await supervisor.stop()
})

test('a wrong setting ends the process at once with code 2', async () => {
  const { supervisor, factory } = bench()
  const broken = factory('feed', (c) => {
    c.startError = new ConfigError('no such symbol')
  })
  await supervisor.start([broken])
  expect(exitCodeOf(await supervisor.ended)).toBe(2)
})

test('stop ends waiting restarts and stops in reverse order', async () => {
  const { clock, supervisor, made, factory } = bench()
  await supervisor.start([factory('a'), factory('b')])
  made[1]?.context?.fail(new Error('x'))
  await settle()
  await supervisor.stop()
  expect(clock.timers).toBe(0)
  await clock.advance(60_000)
  expect(made).toHaveLength(2)
  expect(made[0]?.journal).toEqual(['start a', 'stop a'])
})

test('services that were started later stop after those that did not wait for them', async () => {
  const { supervisor, made, factory } = bench()
  const stopped: string[] = []
  await supervisor.start([factory('ingestion')])
  await supervisor.start([factory('stream'), factory('bars')])
  for (const component of made) {
    const stop = component.stop.bind(component)
    component.stop = async () => {
      stopped.push(component.name)
      await stop()
    }
  }
  await supervisor.stop()
  expect(stopped).toEqual(['ingestion', 'bars', 'stream'])
})

test('stop waits for a restart under way and starts nothing of it', async () => {
  const { clock, supervisor, made, factory } = bench()
  const ready = factory('a')
  let release = () => {}
  const slow = {
    name: 'a',
    create: async () => {
      if (made.length > 0) {
        await new Promise<void>((resolve) => {
          release = resolve
        })
      }
      return ready.create()
    },
  }
  await supervisor.start([slow])
  made[0]?.context?.fail(new Error('x'))
  await settle()
  await clock.advance(60_000)
  let isStopped = false
  const stopped = supervisor.stop().then(() => {
    isStopped = true
  })
  await settle()
  expect(isStopped).toBe(false)
  release()
  await stopped
  expect(made.map((component) => component.journal)).toEqual([['start a', 'stop a'], []])
})

test('/health and /metrics over HTTP', async () => {
  const { clock, metrics, supervisor, made, factory } = bench()
  await supervisor.start([factory('bars')])
  const http = await startHttp({ host: '127.0.0.1', port: 0, metrics, health: () => supervisor.health(), about: { pid: 1 } })
  try {
    const ok = await fetch(`${http.url}/health`)
    expect(ok.status).toBe(200)
    expect(await ok.json()).toMatchObject({ status: 'ok', pid: 1, services: [{ service: 'bars', state: 'running' }] })
    const text = await (await fetch(`${http.url}/metrics`)).text()
    expect(text).toContain('tickwire_service_state{service="bars"} 2')
    made[0]?.context?.fail(new Error('x'))
    await settle()
    expect((await fetch(`${http.url}/health`)).status).toBe(503)
    await expect(
      startHttp({ host: '127.0.0.1', port: Number(new URL(http.url).port), metrics, health: () => supervisor.health() }),
    ).rejects.toThrow(/cannot listen/)
  } finally {
    await http.close()
    await supervisor.stop()
  }
  expect(clock.timers).toBe(0)
})

test('a service that does not end the process is started again however often it fails, and the others go on', async () => {
  const { clock, supervisor, made, factory } = bench()
  let ended: Error | undefined
  void supervisor.ended.then((error) => {
    ended = error
  })
  await supervisor.start([factory('ingestion'), { ...factory('views'), endsProcess: false }])
  for (let i = 0; i < 12; i++) {
    made.at(-1)?.context?.fail(new FeedConnectionError('the registry is away'))
    await settle()
    await clock.advance(clock.nextDelayMs ?? 0)
  }
  expect(ended).toBeUndefined()
  expect(made).toHaveLength(14)
  expect(supervisor.health()).toMatchObject({ status: 'ok', services: [{ service: 'ingestion', restarts: 0 }, { restarts: 12 }] })
  await supervisor.stop()
})
