/** The embedded engine behind the Log interface: a directory that any process on the machine may open. */
import { LogError } from '../core/index.js'
import { compactLog, type NeededOffset, retainLog } from '../native/journal-admin.js'
import { openNativeLog } from '../native/log.js'
import { EngineLog } from './engine-log.js'
import { embeddedGroups, embeddedLag } from './groups.js'
import type { GroupSummary, HouseReport, OpenLogOptions, PartitionLag, TopicPartition } from './types.js'

const durabilities = { process: 0, interval: 1, batch: 2 } as const

const open = (options: OpenLogOptions) => {
  try {
    return openNativeLog(options.directory, {
      durability: durabilities[options.durability ?? 'process'],
      ...(options.syncIntervalMs === undefined ? {} : { syncIntervalMs: options.syncIntervalMs }),
      readOnly: options.readOnly ?? false,
    })
  } catch (error) {
    throw new LogError(`cannot open the log ${options.directory}: ${(error as Error).message}`, { cause: error })
  }
}

export class EmbeddedLog extends EngineLog {
  readonly engine = 'embedded'

  constructor(options: OpenLogOptions) {
    super(open(options), {
      waits: options.durability === 'batch',
      instrumentsOf: options.instrumentsOf,
      clock: options.clock,
    })
  }

  get place(): string {
    return this.native.directory
  }

  async groups(): Promise<GroupSummary[]> {
    return embeddedGroups(this.native)
  }

  async lag(group: string, only?: readonly TopicPartition[]): Promise<PartitionLag[]> {
    return embeddedLag(this.native, group, only)
  }

  async keepHouse(): Promise<HouseReport> {
    const { directory } = this.native
    const needed: NeededOffset[] = []
    let compactedMessages = 0
    for (const { name, partitions, compact } of this.native.topics()) {
      for (let partition = 0; partition < partitions; partition++) {
        const offset = this.native.durableFloor(name, partition)
        if (offset !== undefined) needed.push({ topic: name, partition, offset })
        if (compact) compactedMessages += (await compactLog(directory, name, partition)).messagesDropped
      }
    }
    const { segments, bytes, lost } = await retainLog(directory, needed)
    const records = lost.reduce((sum, loss) => sum + loss.count, 0)
    return { deletedSegments: segments, deletedBytes: bytes, compactedMessages, lost: records }
  }
}
