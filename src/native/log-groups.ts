/** Consumer groups of a log's directory, looked at from outside. Reads the group pages and the segments; writes nothing. */
import { addon } from './addon.js'
import type { NativeLog } from './log.js'

export interface NativeGroup {
  readonly name: string
  /** Retention waits for it. */
  readonly durable: boolean
  /** Those whose process runs. */
  readonly members: readonly { readonly pid: number; readonly incarnation: number; readonly heartbeatAgeMs: number }[]
  readonly topics: readonly {
    readonly name: string
    /** `owner`: a place in `members`; undefined: nobody that runs. */
    readonly partitions: readonly { readonly owner: number | undefined; readonly committed: number | undefined }[]
  }[]
}

interface GroupsAddon {
  listGroups(log: NativeLog): NativeGroup[]
  tsRecvAt(log: NativeLog, topic: string, partition: number, offset: number): bigint | undefined
}
const groups = addon as unknown as GroupsAddon

export const listNativeGroups = (log: NativeLog): NativeGroup[] => groups.listGroups(log)
/** ts_recv of the message at or behind the offset; undefined when there is none. */
export const nativeTsRecvAt = (log: NativeLog, topic: string, partition: number, offset: number): bigint | undefined =>
  groups.tsRecvAt(log, topic, partition, offset)
