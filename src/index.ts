/** The public API: what `import … from 'tickwire'` gives. Everything else may change without notice. */
export { type Clock, systemClock } from './core/clock.js'
export * from './core/errors.js'
export { Dedup } from './log/dedup.js'
export type { Batch, DeadLetter, Handler, HandlerContext, Hole, Place, ReadOptions, Result } from './log/index.js'
export type { InstrumentDefinition, Listing } from './model/instrument.js'
export { type AssetClass, assetClasses, type DataType, dataTypes } from './model/names.js'
export { SubscriptionBuilder } from './model/subscription.js'
export { type TopicConfig, TopicNameBuilder } from './model/topics.js'
export { loadTopics } from './model/topics-file.js'
export { StreamServiceBuilder } from './services/builder.js'
export type { Component, ComponentContext, ComponentHealth } from './services/component.js'
export {
  type MakeBarsOptions,
  type OpenOptions,
  openLog,
  type ReadCaptureOptions,
  readCapture,
  type TickwireLog,
} from './services/public-log.js'
export { openRuntime, type Runtime } from './services/runtime.js'
export { StreamService } from './services/service.js'
export { loadSettings, type Settings } from './services/settings.js'
export { ProducerComponent } from './services/streams.js'
export { Supervisor } from './services/supervisor.js'
export { BatchView, type DecodedRecord, decimalText } from './wire/index.js'
