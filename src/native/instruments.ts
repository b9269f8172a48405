/** The native table of instruments: one per process, handed to feeds, bars and the gateway. */
import { addon } from './addon.js'

export interface NativeInstruments {
  /** False: refused (id 0, exponents outside [-18, 18], or the id is there with other contents). */
  add(id: number, symbol: string, priceExponent: number, sizeExponent: number): boolean
  has(id: number): boolean
  readonly size: number
}

const Constructor = addon.NativeInstruments as new () => NativeInstruments

export const createInstruments = (): NativeInstruments => new Constructor()
