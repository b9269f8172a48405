/**
 * What any engine of the log must do, by the interface alone. Each engine's file gives a factory; what an engine cannot be
 * made to show (a damaged disk, say) it leaves out, and the suite says so.
 */
import { describe } from 'vitest'
import type { Log, OpenLogOptions } from '../../src/log/index.js'
import type { LogProcess } from '../support/log-processes.js'
import type { Orders } from '../support/log-worker.js'
import { describeAppendAndRead } from './append-read.contract.js'
import { describeDeadLetters } from './dead-letters.contract.js'
import { describeGroups } from './groups.contract.js'
import { describeHandlers } from './handlers.contract.js'
import { describeKeeping } from './keeping.contract.js'
import { describeLag } from './lag.contract.js'

export type ConsumeOrders = Omit<Extract<Orders, { role: 'consume' }>, 'place'>
export type AppendOrders = Omit<Extract<Orders, { role: 'append' }>, 'place'>

/** One log of its own for one test. */
export interface LogUnderTest {
  readonly log: Log
  /** Another opening of the same log, in this process. */
  again(options?: Partial<OpenLogOptions>): Promise<Log>
  /** A process that works on the same log. */
  start(orders: ConsumeOrders | AppendOrders): Promise<LogProcess>
  /** How long the engine may take to give a dead member's partitions to others. */
  readonly replacedWithinMs: number
  /** Flips one bit in the middle of the partition's stored bytes. */
  flipBit?(topic: string, partition: number): Promise<void>
  /** Puts bytes that are no batch where batches stand, as another producer might. Undefined: the engine takes none. */
  appendForeign?(topic: string, partition: number, value: Uint8Array): Promise<void>
  /** A log of its own on a file system of a few MB. Undefined: this machine cannot make one. */
  onFullDisk?(): Promise<{ readonly log: Log; makeRoom(): Promise<void>; end(): Promise<void> } | undefined>
  /** Runs retention and compaction now, where the engine leaves that to us. */
  keepHouse?(): Promise<unknown>
  end(): Promise<void>
}

export type LogFactory = (options?: Partial<OpenLogOptions>) => Promise<LogUnderTest>

/** Each part has hooks of its own: a log is opened for the part that uses it, and for no other. */
export function describeLogContract(name: string, factory: LogFactory): void {
  describe(`log contract: ${name}`, () => {
    describe('messages', () => describeAppendAndRead(factory))
    describe('members', () => describeGroups(factory))
    describe('handling', () => describeHandlers(factory))
    describe('letters', () => describeDeadLetters(factory))
    describe('lags', () => describeLag(factory))
    describe('keeping house', () => describeKeeping(factory))
  })
}
