/**
 * What the engine talks about: asset classes, exchanges, topics, symbols, instruments, sessions. Reads config/topics.yaml and
 * config/exchanges.yaml and, through a store it is given, the reference_data topics; writes new definitions there. Runs on the
 * event loop, off the path of a tick. When the log refuses a definition, listing fails and nothing uses the id.
 */
export * from './calendar.js'
export * from './exchanges.js'
export * from './instrument.js'
export * from './names.js'
export * from './registry.js'
export * from './shards.js'
export * from './subscription.js'
export * from './symbols.js'
export * from './time-zone.js'
export * from './topics.js'
export * from './topics-file.js'
export * from './units.js'
