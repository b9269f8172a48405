/**
 * The demo: a simulated Binance over a real socket, then everything the engine is: feed, ring, log, bars, gateway, page. Reads nothing
 * but its options, writes a data directory of its own. It stalls one client and one partition on purpose, so that its sum has
 * gaps and drops in it, and answers with exit code 1 when what was produced is not what was delivered plus what was said to be lost.
 * Runs on the event loop beside the engine's own threads; scripts/build-demo.mjs bundles it with the venue it simulates.
 */
export { type DemoOptions, runDemo } from './run.js'
