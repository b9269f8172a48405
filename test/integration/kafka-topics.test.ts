/** Topics on a real broker through the command line: planned, made, checked, grown, and flat topics moved there and back. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.js'
import { createMissing } from '../../src/log/kafka/topics-apply.js'
import type { KafkaTopicDeclaration } from '../../src/log/kafka/topics-declared.js'
import { MessageWriter, type PlainMessage, readMessages } from '../../src/log/kafka/topics-messages.js'
import { TopicMover } from '../../src/log/kafka/topics-mover.js'
import { dataTypes } from '../../src/model/names.js'
import { type KafkaAdmin, openKafkaAdmin } from '../../src/native/kafka.js'
import { cli } from '../support/cli.js'
import { kafkaHere } from '../support/kafka/dist.js'
import { sharedBroker, uniqueName } from '../support/kafka/shared.js'
import { until } from '../support/until.js'

/** Exchanges of this run's own: the broker is shared. */
const [one = '', two = ''] = ['asx', 'nyse'].map((name) => uniqueName(name).replace('-', '_'))
const flatName = uniqueName('market.trades.raw')
const TYPES = ['--types', 'trades,quotes,reference_data']

const declaration = (
  options: { partitions?: number; retention?: string; second?: boolean; exchange?: string; engine?: number } = {},
): string => {
  const exchange = (name: string, partitions: number): string =>
    `      ${name}: { name: Test, partitions: ${partitions}, country: AU, timezone: UTC }\n`
  const types: Readonly<Record<string, string>> = {
    trades: `{ retention: ${options.retention ?? '7d'}, view: true, schema: trade }`,
    quotes: '{ retention: 7d, view: true, schema: quote }',
    reference_data:
      '{ retention: forever, compaction: true, engine_partitions: 1, view: true, view_partitions: 1, schema: reference_data }',
  }
  return `
defaults: { engine_partitions: ${options.engine ?? 2}, segment: 1MiB }
asset_classes:
  equities:
    exchanges:
${exchange(options.exchange ?? one, options.partitions ?? 6)}${options.second === true ? exchange(two, 10) : ''}
data_types: { ${dataTypes.map((type) => `${type}: ${types[type] ?? '{}'}`).join(', ')} }
internal:
  tickwire.status: { retention: forever, compaction: true, engine_partitions: 1, segment: 1MiB }
  tickwire.state.{name}: { retention: forever, compaction: true, engine_partitions: 1, segment: 1MiB }
flat_topics: { ${flatName}: { data_type: trades, partitions: 3 } }
`
}

const plainTopic = (name: string, partitions: number): KafkaTopicDeclaration => ({
  name,
  kind: 'internal',
  partitions,
  replication: 1,
  minIsr: 1,
  config: {},
  field: 'test',
})

// Skipped aloud where programs that real brokers need are missing: kafkaHere names them.
describe.skipIf(!kafkaHere())('topics of a cluster', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-topics-'))
  const config = join(directory, 'tickwire.yaml')
  let address = ''
  let admin: KafkaAdmin

  beforeAll(async () => {
    address = await sharedBroker()
    admin = openKafkaAdmin({ 'bootstrap.servers': address })
  }, 120_000)
  afterAll(() => {
    admin?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const run = (declared: string, ...args: string[]) => {
    writeFileSync(join(directory, 'topics.yaml'), declared)
    writeFileSync(config, `topics_file: ${join(directory, 'topics.yaml')}\n`)
    return cli(['topics', ...args, '--kafka', address, '--config', config])
  }
  const rows = (text: string) =>
    JSON.parse(text) as { action: string; name: string; setting: string; from: unknown; to: unknown }[]
  const partitionsOf = async (name: string): Promise<number | undefined> => (await admin.topics([name]))[0]?.partitions.length
  const trades = `market.equities.trades.${one}`

  test('S4-14/15/22 planned, made and verified: partitions, compaction, copies capped to the brokers', async () => {
    const plan = await run(declaration(), 'plan', '--all', ...TYPES)
    expect([plan.code, plan.err]).toEqual([0, expect.stringContaining('3 copies are declared and the cluster has 1 broker')])
    const creates = rows(plan.out).filter((r) => r.name.endsWith(one) || r.name.endsWith(`${one}.batch`))
    expect(creates).toHaveLength(6)
    expect(creates).toContainEqual({ action: 'create', name: trades, setting: 'partitions x copies', from: null, to: '6 x 1' })
    expect(await admin.topics([trades])).toEqual([])

    expect((await run(declaration(), 'verify', '--all', ...TYPES)).code).toBe(1)
    const asked = await run(declaration(), 'apply', '--all', ...TYPES)
    expect([asked.code, asked.err]).toEqual([2, expect.stringContaining('--yes')])
    expect(await admin.topics([trades])).toEqual([])

    const apply = await run(declaration(), 'apply', '--all', ...TYPES, '--yes')
    expect([apply.code, apply.err]).toEqual([
      0,
      expect.stringMatching(/config loaded in \d+ ms[\s\S]*\d+ topics created in \d+\.\d\d s/),
    ])
    console.log(apply.err)
    expect(await partitionsOf(trades)).toBe(6)
    expect(await partitionsOf(`${trades}.batch`)).toBe(2)
    const reference = `market.equities.reference_data.${one}`
    expect(await partitionsOf(reference)).toBe(1)
    const entries = new Map((await admin.topicConfigs([reference]))[0]?.entries.map((e) => [e.name, e.value]))
    expect([entries.get('cleanup.policy'), entries.get('min.insync.replicas')]).toEqual(['compact', '1'])

    const verify = await run(declaration(), 'verify', '--all', ...TYPES)
    expect([verify.code, verify.err]).toEqual([0, ''])
    const again = await run(declaration(), 'apply', '--all', ...TYPES, '--yes')
    expect([again.code, again.out, again.err]).toEqual([0, '[]\n', expect.stringContaining('nothing to change')])
  })

  test('S4-15 an exchange is added by configuration alone; the others stay', async () => {
    const plan = rows((await run(declaration({ second: true }), 'plan', '--exchanges', `${one},${two}`, ...TYPES)).out)
    const states = plan.filter((r) => r.name.startsWith('tickwire.'))
    expect(states.map((r) => r.name)).toEqual([`tickwire.state.bars-${two.replaceAll('_', '-')}`])
    expect(new Set(plan.filter((r) => !states.includes(r)).map((r) => r.name.split('.')[3]))).toEqual(new Set([two]))
    expect((await run(declaration({ second: true }), 'apply', '--exchanges', two, '--types', 'trades', '--yes')).code).toBe(0)
    expect(await partitionsOf(`market.equities.trades.${two}`)).toBe(10)
  })

  test('a setting that was changed on the cluster is drift, and apply puts it back', async () => {
    await admin.alterTopicConfigs([{ name: trades, config: { 'retention.ms': '1000' } }])
    const drift = { action: 'config', name: trades, setting: 'retention.ms', from: '1000', to: '604800000' }
    await until('the broker to tell', async () => (await run(declaration(), 'diff', '--all', ...TYPES)).code === 1)
    expect(rows((await run(declaration(), 'diff', '--all', ...TYPES)).out)).toEqual([drift])
    expect((await run(declaration(), 'apply', '--all', ...TYPES, '--yes')).code).toBe(0)
    await until('the setting to be back', async () => (await run(declaration(), 'diff', '--all', ...TYPES)).code === 0)
  })

  test('S4-18 an empty topic grows by apply; fewer partitions are refused with file and field', async () => {
    const grown = await run(declaration({ partitions: 8 }), 'apply', '--all', ...TYPES, '--yes')
    expect(grown.code).toBe(0)
    await until('eight partitions', async () => (await partitionsOf(trades)) === 8)
    for (const command of ['plan', 'apply']) {
      const fewer = await run(
        declaration({ partitions: 4 }),
        command,
        '--all',
        ...TYPES,
        ...(command === 'apply' ? ['--yes'] : []),
      )
      expect([fewer.code, fewer.err]).toEqual([
        2,
        expect.stringMatching(/topics\.yaml.*view_partitions.*8 partitions, and 4 are declared/),
      ])
    }
    expect(await partitionsOf(trades)).toBe(8)
  })

  test('S4-18 a topic with records grows when it is drained, and not before: each key keeps its order', async () => {
    const quotes = `market.equities.quotes.${one}`
    const writer = await MessageWriter.open({ 'bootstrap.servers': address })
    const send = (from: number) =>
      writer.send(
        Array.from({ length: 40 }, (_, i) => ({
          topic: quotes,
          key: `SYM${i % 8}`,
          value: Buffer.from(String(from + i)),
          timestampMs: undefined,
          headers: {},
        })),
      )
    await send(0)
    const before = (await partitionsOf(quotes)) ?? 0
    const refused = await run(declaration({ partitions: 12 }), 'apply', '--all', ...TYPES, '--yes')
    expect([refused.code, refused.err]).toEqual([2, expect.stringMatching(/holds records.*keys would move/)])

    const group = uniqueName('reader')
    const ends = await admin.offsets(Array.from({ length: before }, (_, partition) => ({ topic: quotes, partition })))
    const commit = async (back: number) => {
      const offsets = ends.map(({ partition, begin, end }) => ({ topic: quotes, partition, offset: Math.max(begin, end - back) }))
      // A new broker's groups have no coordinator at first.
      await until('the commit', async () => (await admin.alterCommitted(group, offsets)).every((o) => o.error === undefined))
      expect((await admin.committed(group)).map((c) => c.offset).toSorted()).toEqual(offsets.map((o) => o.offset).toSorted())
    }
    await commit(1)
    const grow = ['grow', quotes, '--partitions', '12', '--quiet', '50ms', '--yes']
    const behind = await run(declaration(), ...grow)
    expect([behind.code, behind.err]).toEqual([3, expect.stringContaining(`group ${group} has not read 1 records of ${quotes}`)])
    expect(await partitionsOf(quotes)).toBe(before)

    await commit(0)
    expect(await run(declaration(), ...grow)).toMatchObject({ code: 0 })
    await until('twelve partitions', async () => (await partitionsOf(quotes)) === 12)
    await send(40)
    await writer.close()
    // Whoever reads all of the old part before the new one, as drain, grow and move prescribe, sees each key's order.
    const values = new Map<string, number[]>()
    const read = await allOf([quotes])
    const isOld = (m: PlainMessage): boolean => m.offset < (ends[m.partition]?.end ?? 0)
    for (const m of [...read.filter(isOld), ...read.filter((m) => !isOld(m))])
      values.set(m.key ?? '', [...(values.get(m.key ?? '') ?? []), Number(m.value.toString())])
    expect(values.size).toBe(8)
    for (const sequence of values.values()) expect(sequence).toEqual(sequence.toSorted((a, b) => a - b))
    expect([...values.values()].flat()).toHaveLength(80)
  }, 60_000)

  test('growth is refused while somebody writes', async () => {
    const topic = uniqueName('busy')
    await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1, config: {} }])
    const writer = await MessageWriter.open({ 'bootstrap.servers': address })
    const write = () => writer.send([{ topic, key: 'A', value: Buffer.from('1'), timestampMs: undefined, headers: {} }])
    await write()
    await until('the topic', async () => (await partitionsOf(topic)) === 1)
    let writing = true
    const writes = (async () => {
      while (writing) await write()
    })()
    const busy = await run(declaration(), 'grow', topic, '--partitions', '2', '--quiet', '500ms', '--yes')
    writing = false
    await writes
    await writer.close()
    expect([busy.code, busy.err]).toEqual([3, expect.stringMatching(/records were appended to busy/)])
    expect(await partitionsOf(topic)).toBe(1)
  })

  async function allOf(topics: readonly string[]): Promise<PlainMessage[]> {
    const held = await admin.topics(topics)
    const stretches = await admin.offsets(
      held.flatMap((t) => t.partitions.map(({ partition }) => ({ topic: t.name, partition }))),
    )
    const found: PlainMessage[] = []
    for await (const messages of readMessages({ 'bootstrap.servers': address }, stretches)) found.push(...messages)
    return found
  }

  test('S4-33 a flat topic is moved while it is written, compared, and what came later goes back', async () => {
    await admin.createTopics([{ name: flatName, partitions: 3, replicationFactor: 1, config: {} }])
    const declared = declaration({ second: true, partitions: 8 })
    const writer = await MessageWriter.open({ 'bootstrap.servers': address })
    const send = (topic: string, values: readonly object[]) =>
      writer.send(
        values.map((value) => ({
          topic,
          key: 'symbol' in value ? String(value.symbol) : undefined,
          value: Buffer.from(JSON.stringify(value)),
          timestampMs: undefined,
          headers: {},
        })),
      )
    const trade = (n: number, exchange?: string) => ({
      symbol: `SYM${n % 7}`,
      ...(exchange === undefined ? {} : { exchange }),
      n,
    })
    await send(
      flatName,
      Array.from({ length: 300 }, (_, n) => trade(n, n % 3 === 0 ? two.toUpperCase() : one)),
    )
    await send(flatName, [{ symbol: 'SYM1' }, { symbol: 'SYM1', exchange: 'nowhere' }])

    const dry = await run(declared, 'migrate', '--topics', flatName, '--dry-run')
    expect([dry.code, JSON.parse(dry.out)]).toEqual([
      0,
      expect.arrayContaining([
        { flat_topic: flatName, to: trades, messages: 200 },
        { flat_topic: flatName, to: `market.equities.trades.${two}`, messages: 100 },
        { flat_topic: flatName, to: `${flatName}.dlq (no_exchange)`, messages: 1 },
        { flat_topic: flatName, to: `${flatName}.dlq (unknown_exchange)`, messages: 1 },
      ]),
    ])
    expect((await allOf([trades])).filter((m) => m.headers.has('tickwire-origin'))).toEqual([])

    const abort = new AbortController()
    writeFileSync(join(directory, 'topics.yaml'), declared)
    const follower = cli(
      ['topics', 'migrate', '--topics', flatName, '--follow', '--yes', '--kafka', address, '--config', config],
      {
        signal: abort.signal,
      },
    )
    const movedTo = async (topic: string): Promise<PlainMessage[]> =>
      (await allOf([topic])).filter((m) => m.headers.has('tickwire-origin'))
    await until('the first part on the new side', async () => (await movedTo(trades)).length === 200, 30_000)
    // The old producers still write.
    await send(
      flatName,
      Array.from({ length: 30 }, (_, n) => trade(300 + n, one)),
    )
    await until('what was written meanwhile', async () => (await movedTo(trades)).length === 230, 30_000)
    abort.abort()
    const followed = await follower
    expect([followed.code, followed.err]).toEqual([0, expect.stringContaining('both sides agree')])
    const compared = JSON.parse(followed.out) as { topic: string; from: number; to: number; state: string; repeated: number }[]
    expect(compared.map((c) => [c.topic, c.from, c.to, c.state, c.repeated]).toSorted()).toEqual(
      [
        [trades, 230, 230, 'equal', 0],
        [`market.equities.trades.${two}`, 100, 100, 'equal', 0],
        [`${flatName}.dlq`, 2, 2, 'equal', 0],
      ].toSorted(),
    )
    const again = await run(declared, 'migrate', '--topics', flatName, '--yes')
    expect([again.code, (await movedTo(trades)).length]).toEqual([0, 230])

    // The new producers write; then the way back.
    await send(
      trades,
      Array.from({ length: 20 }, (_, n) => trade(1_000 + n)),
    )
    const back = await run(declared, 'migrate', '--topics', flatName, '--back', '--yes')
    expect([back.code, back.err]).toEqual([0, expect.stringContaining('start the old consumers')])
    const returned = (await allOf([flatName])).filter((m) => m.headers.has('tickwire-origin'))
    expect(returned).toHaveLength(20)
    expect(JSON.parse(returned[0]?.value.toString() ?? '')).toMatchObject({ exchange: one })
    // And there again: what came back is not copied a second time.
    expect((await run(declared, 'migrate', '--topics', flatName, '--yes')).code).toBe(0)
    expect((await movedTo(trades)).length).toBe(230)

    // Somebody's own message that claims an origin, with another content: the sides no longer agree.
    const victim = (await movedTo(trades))[0]
    await writer.send([
      {
        topic: trades,
        key: 'SYM1',
        value: Buffer.from('{}'),
        timestampMs: undefined,
        headers: { 'tickwire-origin': victim?.headers.get('tickwire-origin') ?? '' },
      },
    ])
    const wrong = await run(declared, 'migrate', '--topics', flatName, '--yes')
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('the two sides of the move differ')])
    await writer.close()
  }, 120_000)

  test('a copy that was cut off goes on where it was: nothing twice, nothing missing', async () => {
    const [from, to] = [uniqueName('market.trades.old'), uniqueName('market.trades.new')]
    await createMissing(admin, [plainTopic(from, 2), plainTopic(to, 4), plainTopic(`${from}.dlq`, 1)], systemClock)
    const writer = await MessageWriter.open({ 'bootstrap.servers': address })
    const message = (i: number) => ({
      topic: from,
      key: `SYM${i % 50}`,
      value: Buffer.from(`${i}`),
      timestampMs: i + 1,
      headers: {},
    })
    await writer.send(Array.from({ length: 8_000 }, (_, i) => message(i)))
    await writer.close()

    const abort = new AbortController()
    let routed = 0
    const open = (signal?: AbortSignal) =>
      new TopicMover({
        admin,
        properties: { 'bootstrap.servers': address },
        from: [from],
        to: [to],
        deadLetters: `${from}.dlq`,
        ensure: async () => {},
        route: (_topic, value) => {
          if (signal !== undefined && ++routed === 3_000) abort.abort(new Error('cut off'))
          return { topic: to, key: `SYM${Number(value.toString()) % 50}`, value }
        },
      })
    await expect(open(abort.signal).copy(abort.signal)).rejects.toThrow('cut off')
    const half = (await open().survey()).moved[to] ?? 0
    expect(half).toBeGreaterThan(0)
    expect(half).toBeLessThan(8_000)
    // A new mover knows nothing but what the topics say.
    expect((await open().copy()).moved[to]).toBe(half)
    const { topics, repeated } = await open().reconcile()
    expect(topics).toEqual([{ topic: to, keys: 50, from: 8_000, to: 8_000, countDiffers: 0, contentDiffers: 0, orderDiffers: 0 }])
    expect(repeated).toBe(0)
  }, 60_000)

  test('what is wrong is said before a broker is asked', async () => {
    const nowhere = (...args: string[]) => cli(['topics', ...args, '--kafka', '127.0.0.1:1'])
    expect(await nowhere('plan')).toMatchObject({ code: 2, err: expect.stringContaining('--exchanges') })
    expect(await nowhere('plan', '--exchanges', 'lse')).toMatchObject({ code: 2, err: expect.stringContaining('valid:') })
    expect(await nowhere('plan', '--all', '--types', 'prints')).toMatchObject({ code: 2, err: expect.stringContaining('trades') })
    expect(await nowhere('migrate', '--topics', 'market.old')).toMatchObject({
      code: 2,
      err: expect.stringContaining('market.trades.raw'),
    })
    writeFileSync(
      join(directory, 'topics.yaml'),
      declaration().replace('schema: trade', 'schema: traed').replace('view: true', 'view: avro'),
    )
    const wrong = await cli(['topics', 'plan', '--all', '--kafka', '127.0.0.1:1', '--config', config])
    expect(wrong).toMatchObject({ code: 2, err: expect.stringMatching(/there is no Avro schema traed[\s\S]*trade/) })
    const without = await cli(['topics', 'plan', '--all'])
    expect(without).toMatchObject({ code: 2, err: expect.stringContaining('kafka.brokers') })
  })
})
