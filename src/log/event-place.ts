/** Where to look for an event by its id: records.md has the forms. */
import type { Place } from './types.js'

const NS_PER_MS = 1_000_000n
/** `t-{instrument}-{source}-{epoch}-{seq}`, and the other letters of records that count in their stream. */
const COUNTED = /^(?:t|q|k|i|d5|d10|d20|l|c|g|x)-\d{1,10}-\d{1,3}-(\d{1,10})-(\d{1,10})$/
/** `b-{instrument}-{source}-{interval ms}-{basis}-{start ms}-{version}` */
const BAR = /^b-\d{1,10}-\d{1,3}-\d{1,12}-\w{1,3}-(\d{1,16})-\d{1,5}$/

/**
 * The first message that can hold the event, undefined when it is no event id. A read from there may begin earlier than the event, never
 * later: compare the ids.
 */
export function placeOfEvent(id: string): Exclude<Place, string> | undefined {
  const [, epoch, seq] = COUNTED.exec(id) ?? []
  if (epoch !== undefined && seq !== undefined) return { epoch: Number(epoch), seq: Number(seq) }
  const [, startMs] = BAR.exec(id) ?? []
  // A bar is written after its interval began.
  return startMs === undefined ? undefined : { time: BigInt(startMs) * NS_PER_MS }
}
