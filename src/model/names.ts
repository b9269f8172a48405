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
