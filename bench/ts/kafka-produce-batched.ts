/** kafka.produce-batched: the engine's topic at 4 partitions, many records a message, against node-rdkafka with one. */
import { produceBatched } from './kafka-produce.js'

await produceBatched('kafka.produce-batched', 4)
