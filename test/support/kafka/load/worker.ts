/** A process of a load. Bundled and started by processes.ts with its orders as JSON. */
import { consume } from './consume.js'
import type { Orders } from './orders.js'
import { produce } from './produce.js'

const orders = JSON.parse(process.argv[2] ?? '{}') as Orders
// The test ended without a word: nobody is left to read what this process would tell.
process.on('disconnect', () => process.exit(3))
await (orders.role === 'produce' ? produce(orders) : consume(orders))
