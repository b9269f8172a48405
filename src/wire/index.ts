/**
 * The record and the batch as TypeScript sees them: views over bytes, decoded objects. Reads bytes of the log and the
 * gateway, writes nothing, runs on whatever thread calls it, in Node and in browsers. Nothing here waits for a next stage.
 */
export {
  type DecodedRecord,
  type DecodedValue,
  decimalText,
  decodeRecord,
  eventId,
  type InstrumentLookup,
  type InstrumentScale,
} from './decode.js'
export { layout } from './layout.js'
export {
  BatchFormatError,
  BatchView,
  type Field,
  type FieldKind,
  type Fields,
  fieldsOf,
  NO_PRICE,
  type RecordName,
  recordName,
} from './views.js'
