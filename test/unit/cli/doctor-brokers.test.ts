/** What doctor concludes from brokers' settings; the group protocol is judged as native/kafka/group_protocol.cc chooses it. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  BROKER_SESSION_MS_MIN,
  brokerSettingsFindings,
  CLASSIC_SESSION_MS,
  copiesFinding,
  groupProtocolFinding,
  SESSION_MS_MAX,
  shippedValue,
} from '../../../src/cli/doctor-brokers.js'

const broker = (settings: Readonly<Record<string, string | number>>, id = 1) => ({
  id,
  entries: Object.entries(settings).map(([name, value]) => ({ name, value: String(value), isDefault: false })),
})
const SESSION = 'group.consumer.session.timeout.ms'

test('the group protocol and why: KIP-848 with a short session, else classic', () => {
  expect(groupProtocolFinding('auto', broker({ [SESSION]: 6_000 }))).toMatchObject({
    status: 'ok',
    detail: 'consumer (KIP-848), session 6000 ms',
  })
  expect(groupProtocolFinding('auto', broker({ [SESSION]: 10_000 }))).toMatchObject({ status: 'ok' })
  const late = groupProtocolFinding('auto', broker({ [SESSION]: 45_000 }))
  expect(late).toMatchObject({ status: 'warning', fix: expect.stringContaining(`set ${SESSION}=`) })
  expect(late.detail).toBe(`classic, session ${BROKER_SESSION_MS_MIN} ms: ${SESSION} is 45000, more than 10000`)
  expect(groupProtocolFinding('auto', broker({}))).toMatchObject({
    status: 'ok',
    detail: `classic, session ${BROKER_SESSION_MS_MIN} ms: this broker has no KIP-848 groups`,
  })
  expect(groupProtocolFinding('classic', broker({ [SESSION]: 6_000 }))).toMatchObject({
    status: 'ok',
    detail: `classic, session ${BROKER_SESSION_MS_MIN} ms: kafka.group_protocol says so`,
  })
  expect(groupProtocolFinding('consumer', broker({}))).toMatchObject({ status: 'warning', fix: expect.stringContaining('auto') })
  const asked = groupProtocolFinding('consumer', broker({ [SESSION]: 45_000 }))
  expect(asked).toMatchObject({ status: 'warning', detail: expect.stringMatching(/^consumer \(KIP-848\) as configured/) })
})

test('a classic session is as short as the broker allows; one that is too long fails', () => {
  const short = groupProtocolFinding('classic', broker({ 'group.min.session.timeout.ms': 1_000 }))
  expect(short.detail).toBe(`classic, session ${CLASSIC_SESSION_MS} ms: kafka.group_protocol says so`)
  const found = groupProtocolFinding('classic', broker({ 'group.min.session.timeout.ms': 12_000 }))
  expect(found).toMatchObject({ status: 'failed', fix: 'set group.min.session.timeout.ms=1000 on the brokers' })
})

test('the session limits are those of the engine', () => {
  const source = readFileSync('native/kafka/group_protocol.cc', 'utf8')
  const constant = (name: string): number => Number(new RegExp(`${name} = ([\\d']+);`).exec(source)?.[1]?.replaceAll("'", ''))
  expect({ max: SESSION_MS_MAX, classic: CLASSIC_SESSION_MS, least: BROKER_SESSION_MS_MIN }).toEqual({
    max: constant('kSessionMsMax'),
    least: constant('kBrokerSessionMsMin'),
    classic: constant('kClassicSessionMs'),
  })
})

test('settings longer than the shipped ones are warned of, each with the value to set', () => {
  const defaults = {
    'broker.session.timeout.ms': 9_000,
    'replica.lag.time.max.ms': 30_000,
    'group.initial.rebalance.delay.ms': 3_000,
  }
  const three = [1, 2, 3].map((id) => broker({ ...defaults, 'controller.quorum.fetch.timeout.ms': 2_000 }, id))
  const found = brokerSettingsFindings(three)
  expect(found).toHaveLength(12)
  expect(found.every(({ status }) => status === 'warning')).toBe(true)
  expect(found.map(({ fix }) => fix)).toContain('set replica.lag.time.max.ms=3000 (config/deploy/kafka)')
  expect(found[0]?.detail).toContain('broker 1: broker.session.timeout.ms is 9000')
  // One broker alone has no replicas and no other controller.
  expect(brokerSettingsFindings([broker(defaults)]).map(({ fix }) => fix.split('=')[0])).toEqual([
    'set broker.session.timeout.ms',
    'set group.initial.rebalance.delay.ms',
  ])
  const shipped = broker({ 'broker.session.timeout.ms': shippedValue('broker', 'broker.session.timeout.ms') ?? Number.NaN })
  expect(brokerSettingsFindings([shipped])).toMatchObject([{ status: 'ok' }])
})

test('groups that can never commit fail', () => {
  const found = brokerSettingsFindings([broker({ 'offsets.topic.replication.factor': 3 })])
  expect(found).toMatchObject([{ status: 'failed', detail: expect.stringContaining('is 3 with 1 broker: groups cannot commit') }])
})

test('copies against brokers', () => {
  const declared = { replication: 3, minIsr: 2 }
  expect(copiesFinding(3, declared)).toMatchObject({ status: 'ok', detail: '3 brokers, 3 copies of 3 declared, min ISR 2' })
  expect(copiesFinding(2, declared)).toMatchObject({ status: 'warning', fix: expect.stringContaining('add 1 broker,') })
  expect(copiesFinding(1, declared).fix).toContain('add 2 brokers')
  expect(copiesFinding(3, { replication: 3, minIsr: 3 })).toMatchObject({
    status: 'warning',
    detail: expect.stringContaining('one broker away stops every write'),
  })
})
