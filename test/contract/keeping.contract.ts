import type { LogFactory } from './log.contract.js'
export function describeKeeping(_factory: LogFactory): void {}
