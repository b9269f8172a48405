/**
 * The broker that the kafka.* benches of one run share, in a process of its own: prints its address, ends when its input does.
 * A broker under load lives longer than a test's, so it gets the second compiler.
 */
import { startBroker } from '../../test/support/kafka/broker.js'

const broker = await startBroker({ jvm: ['-XX:TieredStopAtLevel=4'] })
console.log(broker.bootstrap)
process.stdin.resume()
process.stdin.once('end', () => {
  broker.stop().then(() => process.exit(0))
})
