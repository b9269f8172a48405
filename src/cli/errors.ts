/** How a command ends: what it prints and what it answers. */
import { CommanderError } from 'commander'
import { ConfigProblemsError, problemText } from '../core/config.js'
import { PlatformError } from '../core/errors.js'
import { redactText } from '../core/redact.js'

/** 0 done · 1 a check or the work failed · 2 usage or configuration · 3 the machine lacks something · 130 interrupted. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, environment: 3, interrupted: 130 } as const

/** SIGINT or SIGTERM came before the work was done. */
export class InterruptedError extends Error {
  constructor(readonly by: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${by}`)
  }
}

const environmentCodes = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'EMFILE', 'EADDRINUSE', 'ENOTDIR'])

export function exitCodeOf(error: unknown): number {
  if (error instanceof InterruptedError) return exitCodes.interrupted
  if (error instanceof PlatformError) return error.exitCode
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT' || code === 'EISDIR') return exitCodes.usage
  return environmentCodes.has(code) ? exitCodes.environment : exitCodes.failed
}

/** One error as a person reads it: what, where, what is valid, what to do. */
export function errorText(error: unknown): string {
  if (error instanceof InterruptedError) return `${error.message}\n`
  if (error instanceof ConfigProblemsError) {
    return `error: ${error.problems.length === 1 ? 'the configuration has a problem' : `the configuration has ${error.problems.length} problems`}\n${error.problems.map((p) => `  ${redactText(problemText(p))}\n`).join('')}`
  }
  const message = redactText(error instanceof Error ? error.message : String(error))
  if (!(error instanceof PlatformError)) return `error: ${message}\n`
  const lines = [`error: ${message} (${error.code})`]
  if (error.file !== undefined && !message.includes(error.file)) {
    lines.push(`  file: ${error.file}${error.line === undefined ? '' : `:${error.line}`}`)
  }
  if (error.field !== undefined) lines.push(`  field: ${error.field}`)
  if (error.validValues !== undefined && !message.includes('valid:')) lines.push(`  valid: ${error.validValues.join(', ')}`)
  if (error.fix !== undefined) lines.push(`  fix: ${error.fix}`)
  return `${lines.join('\n')}\n`
}
