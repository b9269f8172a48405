/** Kafka's own command-line tools, for what kcat cannot do. Each starts a JVM: a second or two. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { kafkaClasses } from './dist.js'

/** Runs a tool of Kafka's by its class and gives what it printed; fails with what it said. */
export async function kafkaTool(name: string, args: readonly string[]): Promise<string> {
  const flags = ['-XX:TieredStopAtLevel=1', '-Dkafka.log.level=off']
  const { stdout } = await promisify(execFile)('java', [await kafkaClasses(), ...flags, name, ...args])
  return stdout
}

/** `options` are those of TopicCommand: `--partitions`, `--replication-factor`, `--config`. */
export async function createTopic(bootstrap: string, topic: string, options: readonly string[] = []): Promise<void> {
  const args = ['--bootstrap-server', bootstrap, '--create', '--topic', topic, ...options]
  await kafkaTool('org.apache.kafka.tools.TopicCommand', args)
}
