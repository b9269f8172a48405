/**
 * The bytes of a file in chunks, gunzipped when it is gzip. Reads one file, on the event loop and zlib's thread; a slow reader
 * simply asks later. The last chunk says that it is the last.
 */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { SourceError } from '../../core/errors.js'

const CHUNK_BYTES = 256 * 1024
const DETECT_BYTES = 64 * 1024

export interface Chunk {
  readonly bytes: Uint8Array
  readonly last: boolean
  /** Bytes of the file itself read so far, for progress. */
  readonly fileBytes: number
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
  } finally {
    await file.close()
  }
}

/** What zlib says, with the file it says it of; any other error as it is. */
export function gzipError(path: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error && (/^Z_/.test(String(error.code)) || error.code === 'ERR_BUFFER_TOO_LARGE')))
    return error
  return new SourceError(`${path} cannot be unzipped: ${error.message}`, {
    file: path,
    fix: 'its end is missing or its bytes are damaged: get the file again',
    cause: error,
  })
}

/** Yields at least one chunk; of an empty file, an empty last one. */
export async function* fileChunks(path: string): AsyncGenerator<Chunk, void, undefined> {
  const zipped = await isGzip(path)
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES })
  const bytes = zipped ? file.pipe(createGunzip({ chunkSize: CHUNK_BYTES })) : file
  // A failure of the file itself must end the reader too; pipe does not carry it over.
  if (zipped) file.on('error', (error) => bytes.destroy(error))
  let held: Uint8Array | undefined
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      if (held !== undefined) yield { bytes: held, last: false, fileBytes: file.bytesRead }
      held = chunk
    }
    yield { bytes: held ?? new Uint8Array(0), last: true, fileBytes: file.bytesRead }
  } catch (error) {
    throw gzipError(path, error)
  } finally {
    file.destroy()
  }
}

/** The first bytes of the unzipped file, enough to tell its format. */
export async function firstBytes(path: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const { bytes } of fileChunks(path)) {
    parts.push(bytes)
    size += bytes.length
    if (size >= DETECT_BYTES) break
  }
  return Buffer.concat(parts)
}
