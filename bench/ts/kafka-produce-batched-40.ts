/** kafka.produce-batched-40: the engine's topic at 40 partitions, many records a message, against node-rdkafka with one. */
import { produceBatched } from './kafka-produce.js'

await produceBatched('kafka.produce-batched-40', 40)
