import type { LogFactory } from './log.contract.js'
export function describeHandlers(_factory: LogFactory): void {}
