/**
 * Services and what keeps them running: the builder, the supervisor, health and metrics over HTTP. A service only composes stages;
 * it reads and writes nothing itself and runs on the event loop. When a stage is slow its own bounds act (ring, log, subscriber);
 * a stop waits for each component's drain, at most 10 s.
 */
export * from './bars.js'
export * from './builder.js'
export * from './component.js'
export * from './control.js'
export * from './feed-session.js'
export * from './http.js'
export * from './ingestion.js'
export * from './public-log.js'
export * from './reading.js'
export * from './replaying.js'
export * from './replicator.js'
export * from './runtime.js'
export * from './service.js'
export * from './settings.js'
export * from './stream.js'
export * from './streams.js'
export * from './supervisor.js'
export * from './up.js'
export * from './views.js'
