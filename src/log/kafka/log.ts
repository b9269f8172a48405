/**
 * The log on a Kafka cluster behind the Log interface. Positions are Kafka's offsets, one per message; a topic that is there keeps
 * its settings (`tickwire topics` changes them by a plan). Kafka keeps its own house.
 */
import type { Clock } from '../../core/index.js'
import { type KafkaAdmin, type KafkaProperties, openKafkaAdmin, openNativeKafkaLog } from '../../native/kafka.js'
import { adoptNativeLog, type NativeLog } from '../../native/log.js'
import { EngineLog } from '../engine-log.js'
import type { GroupSummary, HouseReport, OpenLogOptions, PartitionLag, TopicPartition } from '../types.js'
import { kafkaGroups, kafkaLag } from './groups.js'

export interface OpenKafkaLogOptions {
  readonly properties: KafkaProperties
  readonly groupProtocol?: 'auto' | 'consumer' | 'classic'
  readonly groupInstanceId?: string | undefined
  /** Of topics that are made here; at most the number of brokers. */
  readonly replication?: number
  readonly minIsr?: number
  readonly instrumentsOf?: OpenLogOptions['instrumentsOf']
  readonly clock?: Clock
  /** What librdkafka and the groups tell; at most one line of a kind in a second. */
  readonly onLog?: (level: number, text: string) => void
}

export class KafkaLog extends EngineLog {
  readonly engine = 'kafka'
  readonly place: string
  readonly admin: KafkaAdmin

  private constructor(native: NativeLog, options: OpenKafkaLogOptions) {
    super(native, { waits: true, instrumentsOf: options.instrumentsOf, clock: options.clock })
    this.place = options.properties['bootstrap.servers'] ?? ''
    this.admin = openKafkaAdmin(options.properties)
  }

  /** Throws KafkaUnavailableError without the addon, KafkaAuthError or KafkaError when the brokers cannot be used. */
  static async open(options: OpenKafkaLogOptions): Promise<KafkaLog> {
    const { properties, groupProtocol, groupInstanceId, replication, minIsr, onLog } = options
    const engine = await openNativeKafkaLog(properties, {
      ...(groupProtocol === undefined ? {} : { groupProtocol }),
      ...(groupInstanceId === undefined ? {} : { instanceId: groupInstanceId }),
      ...(replication === undefined ? {} : { replication }),
      ...(minIsr === undefined ? {} : { minIsr }),
      ...(onLog === undefined ? {} : { onLog }),
    })
    return new KafkaLog(adoptNativeLog(engine), options)
  }

  groups(): Promise<GroupSummary[]> {
    return kafkaGroups(this.admin)
  }

  lag(group: string, only?: readonly TopicPartition[]): Promise<PartitionLag[]> {
    return kafkaLag(this.admin, this, group, only)
  }

  async keepHouse(): Promise<HouseReport> {
    return { deletedSegments: 0, deletedBytes: 0, compactedMessages: 0, lost: 0 }
  }

  override async close(): Promise<void> {
    await super.close()
    this.admin.close()
  }
}
