import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compactLog, logUsage, retainLog, trimLog, verifyLog } from '../../../src/native/journal-admin.js'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tw-admin-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('log administration', () => {
  it('names a directory that is no log', async () => {
    await expect(verifyLog(directory)).rejects.toThrow(/is not a log/)
    await expect(logUsage(join(directory, 'none'))).rejects.toThrow(/log\.json/)
  })

  it('works on a log without topics', async () => {
    // Retention makes the directory a log: it opens it for writing.
    expect(await retainLog(directory)).toEqual({ segments: 0, bytes: 0, lost: [] })
    const report = await verifyLog(directory, { hash: true })
    expect(report).toMatchObject({ topics: 0, messages: 0, damageCount: 0, offsetsLost: 0n })
    expect(report.hash).toMatch(/^[0-9a-f]{16}$/)
    expect(await logUsage(directory)).toEqual([])
  })

  it('refuses topics and arguments that are not there', async () => {
    await retainLog(directory)
    await expect(verifyLog(directory, { topics: ['none'] })).rejects.toThrow(/not_found/)
    await expect(trimLog(directory, { topic: 'none', partition: 0, beforeOffset: 1n })).rejects.toThrow(/not_found/)
    await expect(compactLog(directory, '../x', 0)).rejects.toThrow(/not_found/)
    expect(() => trimLog(directory, { topic: 'none', partition: -1 })).toThrow(/partition/)
  })
})
