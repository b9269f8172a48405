/**
 * From recordings and live feeds into the log.
 * Reads files (captures, DBN, declared CSV) and frames of adapters; writes batches through the native feed and batcher.
 * Decodes on the calling thread, a slice at a time; the batcher appends on its own. When the log is slow a replay waits and a
 * live feed's ring applies its policy.
 */
export { type ReplayInstrument, type ReplayOptions, type ReplayProgress, type ReplayResult, replay } from './replay.js'
export { type DetectedSource, detectSource, type SourceFormat, sourceFormats } from './sources/source-format.js'
