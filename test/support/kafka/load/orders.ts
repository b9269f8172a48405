/** What the processes of a load are told, and what they tell: their state as messages, their history as lines of a tap file each. */

export interface ProduceOrders {
  readonly role: 'produce'
  /** Of the local log. */
  readonly directory: string
  readonly brokers: string
  readonly topic: string
  readonly partitions: number
  readonly recordsPerSecond: number
  /** One of its own for each process that fills this log. */
  readonly epoch: number
}

export interface ConsumeOrders {
  readonly role: 'consume'
  readonly brokers: string
  readonly topic: string
  readonly group: string
  readonly groupProtocol: 'consumer' | 'classic'
  readonly tap: string
}

export type Orders = ProduceOrders | ConsumeOrders

/** `measure` forgets the holes so far; `rest` makes no more records; `hang` blocks the event loop; `stop` ends in good order. */
export type Order = 'measure' | 'rest' | 'hang' | 'stop'

/** Longest times in which nothing was acknowledged, or delivered, in ms: of all partitions together, and of each. */
export interface Holes {
  readonly overall: number
  readonly partitions: readonly number[]
}

export interface ProduceStatus {
  /** Appended to the local log and kept by it. */
  readonly produced: number
  /** By partition: the local log's end, and what the brokers have acknowledged of it. */
  readonly ends: readonly number[]
  readonly acknowledged: readonly number[]
  readonly holes: Holes
  readonly state: string
  readonly error: string
  readonly producers: number
  readonly repeats: number
}

export interface ConsumeStatus {
  readonly assigned: readonly number[]
  /** By partition: the offset behind the last message that the handler had. */
  readonly handled: readonly number[]
  readonly holes: Holes
}

export type TapLine =
  | { readonly k: 'assigned'; readonly partition: number; readonly generation: number; readonly offset: number }
  | { readonly k: 'batch'; readonly partition: number; readonly generation: number; readonly offset: number }
  | { readonly k: 'note'; readonly text: string }

/** How long a hung member's event loop stands still. */
export const HANG_MS = 30_000
/** Streams of a partition. */
export const STREAMS = 16
export const instrumentOf = (partition: number, stream: number): number => 1 + partition * STREAMS + stream
