/** The command line on a cluster: one recording in the embedded log and in Kafka, then everything that reads a log, read from Kafka. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shippedValue } from '../../src/cli/doctor-brokers.js'
import { systemClock } from '../../src/core/clock.js'
import { BusinessError, PoisonRecordError } from '../../src/core/errors.js'
import { silentLogger } from '../../src/core/logging.js'
import type { Consumer } from '../../src/log/index.js'
import { openRuntime, type Runtime } from '../../src/services/runtime.js'
import { loadSettings } from '../../src/services/settings.js'
import { cli } from '../support/cli.js'
import { type Broker, startBroker } from '../support/kafka/broker.js'
import { kafkaHere } from '../support/kafka/dist.js'
import { consumeForeign } from '../support/kafka/foreign/consumers.js'
import { produceLines } from '../support/kafka/kcat.js'
import { type Registry, startRegistry } from '../support/kafka/registry.js'
import { until } from '../support/until.js'
import { SimulatedBinance } from '../support/venues/binance/server.js'

const TRADES = 'market.crypto.trades.binance'
const BARS = 'market.crypto.ohlcv.binance'
type Row = Record<string, unknown>

// Skipped aloud where programs that real brokers need are missing: kafkaHere names them.
describe.skipIf(!kafkaHere(['java', 'mvn', 'openssl', 'kcat']))('the command line on Kafka', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-kafka-cli-'))
  const [capture, embedded, outbox] = ['session.twr', 'embedded', 'outbox'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  let broker: Broker
  let runtime: Runtime
  let consumer: Consumer
  let isMended = false

  /** A data directory that nobody made: a command that would make or need one is found out. */
  const nowhere = join(directory, 'nowhere')
  const run = (...args: string[]) => cli([...args, '--kafka', broker.bootstrap], { environment: { TICKWIRE_DATA_DIR: nowhere } })
  const rows = async (...args: string[]): Promise<Row[]> => {
    const { code, out, err } = await run(...args)
    expect([code, err.includes('error:')]).toEqual([0, false])
    return JSON.parse(out) as Row[]
  }
  const facts = async (args: readonly string[]): Promise<Row> => {
    const { code, out, err } = await cli(args)
    expect([code, err]).toEqual([0, ''])
    return JSON.parse(out) as Row
  }
  /** One row a bar, without where it stands. */
  const barsOf = async (...where: string[]): Promise<string[]> => {
    const { code, out } = await cli(['read', BARS, ...where])
    expect(code).toBe(0)
    return out
      .trim()
      .split('\n')
      .map((line) => {
        const { offset: _, index: __, ...bar } = JSON.parse(line) as Row
        return JSON.stringify(bar)
      })
      .toSorted()
  }

  async function recordSession(): Promise<void> {
    const venue = new SimulatedBinance({ seed: 7, eventsPerSecond: 4_000 })
    await venue.start()
    const stop = new AbortController()
    const feed = [
      '--venue',
      'binance',
      '--symbols',
      'BTCUSDT,ETHUSDT',
      '--stream-url',
      venue.streamUrl,
      '--rest-url',
      venue.restUrl,
    ]
    const recording = cli(
      ['record', capture, ...feed, '--data', join(directory, 'live'), '--http-port', '0', '--log-level', 'silent'],
      { signal: stop.signal },
    )
    await until('frames are recorded', () => existsSync(capture) && readFileSync(capture).length > 1_000_000, 30_000)
    stop.abort(new Error('enough'))
    expect((await recording).code).toBe(0)
    await venue.stop()
  }

  beforeAll(async () => {
    broker = await startBroker({ secureListeners: true })
    await recordSession()
    const settings = loadSettings({ environment: {}, given: { data_dir: nowhere, kafka: { brokers: broker.bootstrap } } })
    runtime = await openRuntime({ settings, service: 'test', readOnly: true, logger: silentLogger })
  }, 120_000)
  afterAll(async () => {
    await consumer?.stop()
    await runtime?.close()
    await broker?.stop()
    rmSync(directory, { recursive: true, force: true })
  }, 60_000)

  test('one capture, replayed into the embedded log and into Kafka: the same bars and one record hash', async () => {
    const bars = ['--bars', '1s,1m', '--hash']
    const local = await facts(['replay', capture, '--data', embedded, ...bars])
    const cluster = await facts(['replay', capture, '--data', outbox, '--kafka', broker.bootstrap, ...bars])
    console.log(`embedded ${JSON.stringify(local)}\nkafka ${JSON.stringify(cluster)}`)
    expect(Number(local.records)).toBeGreaterThan(2_000)
    expect(Number(local.bars)).toBeGreaterThan(0)
    expect(cluster).toMatchObject({ records: local.records, bars: local.bars, hash: local.hash, already_there: 0 })
    expect(await barsOf('--kafka', broker.bootstrap)).toEqual(await barsOf('--data', embedded))

    const again = await facts(['replay', capture, '--data', outbox, '--kafka', broker.bootstrap, ...bars])
    expect(again).toMatchObject({ drained: 0, bars: 0, hash: local.hash })
  }, 120_000)

  test('another directory that knows nothing takes the ids of the cluster; one with other ids is refused', async () => {
    const second = join(directory, 'second')
    const cluster = await facts(['replay', capture, '--data', second, '--kafka', broker.bootstrap, '--no-bars', '--hash'])
    expect(cluster).toMatchObject({ drained: 0, hash: (await facts(['verify', embedded, '--hash'])).hash })
    const other = join(directory, 'other')
    const local = await openRuntime({
      settings: loadSettings({ environment: {}, given: { data_dir: other } }),
      service: 'test',
      logger: silentLogger,
    })
    await local.registry.list('binance', [{ symbol: 'AAAUSDT' }, { symbol: 'BTCUSDT' }])
    await local.close()
    const refused = await cli(['replay', capture, '--data', other, '--kafka', broker.bootstrap, '--no-bars'])
    expect(refused.code).not.toBe(0)
    expect(refused.err).toMatch(/BTCUSDT of binance is another instrument in .*other than on 127/)
    expect(refused.err).toContain('fix: replay into a new data directory')
  }, 60_000)

  test('read: offset and index of each record, by symbol, limited, to the end', async () => {
    const records = (await run('read', TRADES, '--symbols', 'BTCUSDT', '--limit', '50')).out.trim().split('\n')
    expect(records).toHaveLength(50)
    const places = records.map((line) => JSON.parse(line) as Row)
    expect(new Set(places.map(({ symbol }) => symbol))).toEqual(new Set(['BTCUSDT']))
    expect(places.every(({ offset, index }) => Number.isInteger(offset) && Number.isInteger(index))).toBe(true)
    expect(new Set(places.map(({ offset, index }) => `${offset}/${index}`)).size).toBe(50)
    const missing = await run('read', 'market.crypto.trades.kraken')
    expect(missing.code).toBe(2)
    expect(missing.err).toContain(`${broker.bootstrap} holds nothing of market.crypto.trades.kraken`)
  })

  test('verify: as the directory it came from, by topic too; somebody else’s topics are not judged', async () => {
    await produceLines(broker.bootstrap, 'somebody-elses', ['no batch'])
    await until(
      'the topic is there',
      async () => (await runtime.log.topics()).some(({ name }) => name === 'somebody-elses'),
      10_000,
    )
    const whole = JSON.parse((await run('verify')).out) as Row
    expect(whole).toMatchObject({ badBatches: 0, damageCount: 0, repeats: 0 })
    const of = ['--hash', '--topics', TRADES]
    expect(JSON.parse((await run('verify', ...of)).out)).toMatchObject({ hash: (await facts(['verify', embedded, ...of])).hash })
    const both = await run('verify', embedded)
    expect([both.code, both.err.includes('a directory and a cluster are two logs')]).toEqual([2, true])
  })

  test('topics plan takes the options that topics has, too', async () => {
    const plan = await run('topics', 'plan', '--exchanges', 'kraken', '--types', 'trades', '--format', 'csv')
    expect([plan.code, plan.out.split('\n')[0]]).toEqual([0, 'action,name,setting,from,to'])
    expect(plan.out).toContain('create,market.crypto.trades.kraken.batch,')
  })

  test('run views: kcat reads each trade of the recording under the plain name, keyed by symbol', async () => {
    const expected = (await run('read', TRADES)).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row)
      .filter(({ type }) => type === 'trade')
    const stop = new AbortController()
    const serving = cli(
      ['run', 'views', '--kafka', broker.bootstrap, '--exchanges', 'binance', '--http-port', '0', '--log-level', 'silent'],
      { environment: { TICKWIRE_DATA_DIR: join(directory, 'views') }, signal: stop.signal },
    )
    const topics = async () => (await runtime.kafka?.admin.topics()) ?? []
    await until('the view is made', async () => (await topics()).some(({ name }) => name === TRADES), 20_000)
    const there = { bootstrap: broker.bootstrap, topic: TRADES, count: expected.length }
    const shown = await consumeForeign('kcat', there)
    stop.abort(new Error('enough'))
    expect((await serving).code).toBe(0)
    console.log(shown[0], shown[0]?.value.toString())
    const values = shown.map(({ key, value }) => [key, (JSON.parse(value.toString()) as Row).seq]).toSorted()
    expect(values).toEqual(expected.map(({ symbol, seq }) => [symbol, seq]).toSorted())
  }, 60_000)

  test('topics: what the cluster holds', async () => {
    const held = await rows('topics')
    expect(held.map(({ topic }) => topic)).not.toContain('somebody-elses')
    const trades = held.find(({ topic }) => topic === TRADES)
    expect(trades).toMatchObject({ partitions: 4, retention: '7d', compaction: false, bytes: null })
    expect(Number(trades?.end)).toBeGreaterThan(0)
    expect(await rows('topics', TRADES)).toHaveLength(1)
  })

  test('the environment names a cluster, and a directory that is typed goes before it', async () => {
    const environment = { KAFKA_BOOTSTRAP_SERVERS: broker.bootstrap, TICKWIRE_DATA_DIR: nowhere }
    const there = await cli(['read', TRADES, '--limit', '1'], { environment })
    expect(JSON.parse(there.out)).toHaveProperty('index')
    const here = await cli(['read', TRADES, '--limit', '1', '--data', embedded], { environment })
    expect(JSON.parse(here.out)).not.toHaveProperty('index')
  })

  test('groups, lag and dead letters of a consumer that fails and then is mended', async () => {
    let dead = 0
    consumer = await runtime.log.consumer({
      group: 'storage',
      topics: [TRADES],
      retryPolicies: { BUSINESS: { retriesMax: 0, delayMsMin: 0, delayMsMax: 0 } },
      handler: async (_, { redrive }) => {
        if (isMended || redrive !== undefined || dead === 2) return undefined
        // One record of each of two batches: a batch may have no more.
        return {
          failed: [{ index: 0, error: dead++ === 0 ? new PoisonRecordError('bad price') : new BusinessError('not listed yet') }],
        }
      },
      from: 'begin',
    })
    await until('two are dead and all else is read', () => consumer.counters.deadLetters === 2 && consumer.lag() === 0, 30_000)

    const [member] = await rows('groups', 'storage')
    expect(member).toMatchObject({
      group: 'storage',
      state: 'stable',
      protocol: 'consumer',
      partitions: 4,
      owned: `${TRADES}[0-3]`,
    })
    const behind = async (): Promise<number> =>
      (await rows('lag', '--group', 'storage')).reduce((sum, row) => sum + Number(row.lag_messages), 0)
    await until('what is processed is committed', async () => (await behind()) === 0, 10_000)

    const letters = await rows('dlq', 'list', '--group', 'storage')
    expect(letters.map(({ class: c }) => c).toSorted()).toEqual(['BUSINESS', 'POISON'])
    const shown = JSON.parse((await run('dlq', 'show', String(letters[0]?.id))).out) as Row
    expect(JSON.parse(String(shown.record))).toMatchObject({ type: letters[0]?.type, topic: TRADES })
    isMended = true
    const willing = ['dlq', 'redrive', '--group', 'storage', '--reviewed', '--early']
    expect((await rows(...willing, '--dry-run')).map(({ redrive }) => redrive)).toEqual([
      'would be asked for',
      'would be asked for',
    ])
    expect((await rows(...willing)).map(({ redrive }) => redrive)).toEqual(['asked for', 'asked for'])
    await until('both stood', async () => (await rows('dlq', 'list')).length === 0, 20_000)
  }, 60_000)

  test('lag --watch prints anew until it is interrupted', async () => {
    const stop = new AbortController()
    let prints = 0
    const watching = cli(['lag', '--kafka', broker.bootstrap, '--watch', '--group', 'storage', '--format', 'csv'], {
      signal: stop.signal,
      clock: { ...systemClock, setTimer: (work) => systemClock.setTimer(work, 1) },
      out: async () => void prints++,
    })
    await until('two prints', () => prints >= 2, 20_000)
    stop.abort(new Error('interrupted'))
    expect((await watching).code).toBe(0)
  })

  test('one consumer per 10 partitions is suggested for a group that has fewer', async () => {
    const topics = ['trades', 'quotes', 'ohlcv'].map((type) => `market.crypto.${type}.binance`)
    const few = await runtime.log.consumer({ group: 'few', topics, handler: async () => undefined })
    try {
      await until('all twelve are assigned', () => few.assigned.length === 12, 20_000)
      const { err } = await run('groups', 'few')
      expect(err).toContain('group few: 1 of 2 members; one consumer per 10 partitions is suggested for 12')
      expect((await run('lag', '--group', 'few')).err).toContain('1 of 2 members')
    } finally {
      await few.stop()
    }
  }, 60_000)

  describe('doctor', () => {
    let registry: Registry
    const doctor = async (args: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
      const { code, out, err } = await cli(['doctor', '--data', outbox, ...args], { environment })
      const findings = JSON.parse(out) as { check: string; status: string; detail: string; fix: string }[]
      return { code, err, of: (check: string) => findings.find((finding) => finding.check === check) }
    }

    beforeAll(async () => {
      registry = await startRegistry()
    }, 120_000)
    afterAll(() => registry?.stop())

    test('a cluster with the shipped settings: each step, and which protocol groups use', async () => {
      const { code, of } = await doctor(['--kafka', broker.bootstrap, '--registry', registry.url])
      expect(code).toBe(0)
      expect(of('Kafka engine')).toMatchObject({ status: 'ok', detail: expect.stringMatching(/^librdkafka \d.*sasl_scram/) })
      expect(of('kafka.brokers')).toMatchObject({ status: 'ok', detail: expect.stringMatching(/^127\.0\.0\.1:\d+ in \d+ ms$/) })
      expect(of('authentication')).toMatchObject({ status: 'ok', detail: expect.stringContaining('nobody is asked') })
      expect(of('controller')?.status).toBe('ok')
      expect(of('group protocol')).toMatchObject({
        status: 'ok',
        detail: `consumer (KIP-848), session ${shippedValue('broker', 'group.consumer.session.timeout.ms')} ms`,
      })
      expect(of('broker settings')).toMatchObject({ status: 'ok' })
      expect(of('copies')).toMatchObject({ status: 'warning', fix: expect.stringContaining('add 2 brokers') })
      expect(of('schema registry')).toMatchObject({ status: 'ok', detail: expect.stringContaining('BACKWARD') })
    }, 60_000)

    test('nobody at the address: failed, exit code 1, and nothing more is asked', async () => {
      const { code, err, of } = await doctor(['--kafka', '127.0.0.1:1', '--registry', 'http://127.0.0.1:1'])
      expect(code).toBe(1)
      expect(err).toContain('kafka.brokers, schema registry failed')
      expect(of('kafka.brokers')).toMatchObject({ status: 'failed', detail: '127.0.0.1:1 ECONNREFUSED' })
      expect(of('authentication')).toBeUndefined()
    }, 60_000)

    test('a wrong password: said once, with where to look', async () => {
      const { secure } = broker
      const config = join(directory, 'secure.yaml')
      const security = `{ protocol: sasl_ssl, username: ${secure?.user}, ca_file: ${secure?.ca} }`
      writeFileSync(config, `kafka: { brokers: '${secure?.saslBootstrap}', security: ${security} }\n`)
      const args = ['--config', config]
      const right = await doctor(args, { KAFKA_SASL_PASSWORD: secure?.password ?? '' })
      expect(right.of('authentication')).toMatchObject({ status: 'ok', detail: expect.stringContaining('SCRAM-SHA-512') })
      const wrong = await doctor(args, { KAFKA_SASL_PASSWORD: 'not-what-it-is' })
      expect(wrong.code).toBe(1)
      expect(wrong.of('authentication')).toMatchObject({ status: 'failed', fix: expect.stringContaining('KAFKA_SASL_PASSWORD') })
      expect(JSON.stringify(wrong.of('authentication'))).not.toContain('not-what-it-is')
    }, 60_000)
  })

  test('a recording older than the retention of its topics is warned of, with the fix', async () => {
    const file = join(directory, 'truefx_eurusd-ticks.csv')
    writeFileSync(file, 'timestamp,bid,ask\n2018-07-02 00:00:00.123+00:00,1.16702,1.16705\n')
    const old = await cli(['replay', file, '--kafka', broker.bootstrap, '--data', join(directory, 'old'), '--no-bars'])
    expect([old.code, JSON.parse(old.out)]).toMatchObject([0, { exchange: 'truefx' }])
    const topic = 'market.fx.quotes.truefx'
    expect(old.err).toContain(`warning: ${topic} keeps records for less time than this recording is old`)
    expect(old.err).toContain(`declare \`${topic}: { retention: forever }\``)
    // A compacted topic keeps its definitions.
    expect(old.err).not.toContain('reference_data')
  }, 60_000)

  test('what a cluster does not have is said; nothing made a directory', async () => {
    const du = await run('log', 'du')
    expect([du.code, du.err.includes('a Kafka cluster keeps its own segments')]).toEqual([2, true])
    expect(readdirSync(directory)).not.toContain('nowhere')
  })
})
