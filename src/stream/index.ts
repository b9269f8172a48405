/**
 * The stream stage: the log's tail to every subscriber, and the page.
 * Reads topics of the log. Writes WebSocket frames. Two native threads of its own; the event loop only starts and stops it.
 * A slow subscriber is conflated, loses records with an exact notice, or is disconnected; nobody else waits for it.
 */
export * from './files.js'
export * from './gateway.js'
export * from './metrics.js'
export * from './options.js'
export * from './types.js'
