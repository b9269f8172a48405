/**
 * kcat's JSON takes no binary values, so it prints each message as a line `partition offset timestamp key-length value-length headers` and
 * then that many bytes of key and of value.
 */
import type { ForeignMessage } from './consumers.js'

export function kcatMessages(output: Buffer): ForeignMessage[] {
  const messages: ForeignMessage[] = []
  let at = 0
  while (at < output.length) {
    const end = output.indexOf(10, at)
    if (end < 0) throw new Error(`kcat's output ends in the middle of a line: ${output.subarray(at).toString()}`)
    const [partition, offset, timestamp, keyLength, valueLength, ...headers] = output
      .subarray(at, end)
      .toString('utf8')
      .split(' ')
    const keyEnd = end + 1 + Math.max(0, Number(keyLength))
    at = keyEnd + Math.max(0, Number(valueLength))
    messages.push({
      // A key that is null has length -1.
      key: Number(keyLength) < 0 ? null : output.subarray(end + 1, keyEnd).toString('utf8'),
      partition: Number(partition),
      offset: Number(offset),
      timestamp: Number(timestamp),
      headers: parseHeaders(headers.join(' ')),
      value: Buffer.from(output.subarray(keyEnd, at)),
    })
  }
  return messages
}

const parseHeaders = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split(',')
      .filter((part) => part.includes('='))
      .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  )
