/** The closed lists that topic names are made of. */

export const assetClasses = ['equities', 'derivatives', 'crypto', 'fx', 'indices'] as const
export type AssetClass = (typeof assetClasses)[number]

export const dataTypes = [
  'trades',
  'quotes',
  'tickers',
  'depth',
  'book',
  'ohlcv',
  'chain',
  'greeks',
  'indicators',
  'gaps',
  'reference_data',
  'raw',
] as const
export type DataType = (typeof dataTypes)[number]

/** Which data type a record stands under; gap records and clocks stand beside the data they are about. */
export const dataTypeOfRecord = {
  trade: 'trades',
  quote: 'quotes',
  ticker: 'tickers',
  index: 'tickers',
  depth5: 'depth',
  depth10: 'depth',
  depth20: 'depth',
  level: 'book',
  bar: 'ohlcv',
} as const satisfies Readonly<Record<string, DataType>>
