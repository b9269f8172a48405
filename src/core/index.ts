/**
 * What every folder may use and which uses none of them: errors and their retry, configuration, time, logging, metrics,
 * correlation. Reads YAML files and the environment it is given, writes log lines to stderr, on whatever thread calls it.
 * Nothing here queues: a log line that stderr cannot take waits in Node's own buffer.
 */
export * from './clock.js'
export * from './config.js'
export * from './correlation.js'
export * from './directories.js'
export * from './errors.js'
export * from './logging.js'
export * from './metrics.js'
export * from './redact.js'
export * from './retry.js'
