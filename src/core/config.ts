/**
 * YAML files to checked values. Every problem names file, line, field, what would be valid and what to do; nothing is guessed.
 * Bytes from outside: size and nesting are bounded, aliases too.
 */
import { readFileSync, statSync } from 'node:fs'
import { isNode, LineCounter, parseDocument, type Document as YamlDocument } from 'yaml'
import type { z } from 'zod'
import { ConfigError } from './errors.js'
import { redact } from './redact.js'

const BYTES_MAX = 4 << 20

export interface ConfigProblem {
  readonly file: string
  readonly line: number | undefined
  readonly field: string
  readonly message: string
  readonly validValues?: readonly string[] | undefined
  readonly fix?: string | undefined
}

/** An environment variable that overrides one field. */
export interface EnvironmentOverride {
  readonly name: string
  readonly path: readonly string[]
  readonly kind: 'string' | 'integer' | 'list'
}

export interface LoadOptions<S extends z.ZodType> {
  readonly schema: S
  /** Read from this file; or `text` as if it stood there. Neither: an empty configuration. */
  readonly file?: string
  readonly text?: string
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly overrides?: readonly EnvironmentOverride[]
  /** Values of the command line: above the file and the environment. */
  readonly given?: Readonly<Record<string, unknown>>
}

/** Reads, overrides, checks. Throws ConfigError with the first problem and all of them in `problems`. */
export function loadConfig<S extends z.ZodType>(options: LoadOptions<S>): z.output<S> {
  const file = options.file ?? '(built-in)'
  const text = options.text ?? (options.file === undefined ? '' : readText(options.file))
  const lines = new LineCounter()
  const { document, value } = parse(text, file, lines)
  const fromEnvironment = new Map<string, string>()
  let merged = value
  for (const override of options.overrides ?? []) {
    const given = options.environment?.[override.name]
    if (given === undefined || given === '') continue
    merged = setPath(merged, override.path, readOverride(override, given))
    fromEnvironment.set(override.path.join('.'), override.name)
  }
  if (options.given !== undefined) merged = deepMerge(merged, options.given)

  const result = options.schema.safeParse(merged)
  if (result.success) return result.data
  const problems = result.error.issues
    .flatMap((issue) => explain(issue, merged, options.schema))
    .map((p): ConfigProblem => {
      const variable = fromEnvironment.get(p.path.join('.'))
      const isGiven = valueAt(options.given, p.path) !== undefined
      return {
        file: isGiven ? 'command line' : variable === undefined ? file : `environment ${variable}`,
        line: variable === undefined && !isGiven ? lineOf(document, p.path, lines, p.key) : undefined,
        field: fieldText(p.path),
        message: p.message,
        validValues: p.validValues,
        fix: p.fix,
      }
    })
  throw new ConfigProblemsError(problems)
}

export class ConfigProblemsError extends ConfigError {
  readonly problems: readonly ConfigProblem[]
  constructor(problems: readonly ConfigProblem[]) {
    const first = problems[0]
    super(problems.map(problemText).join('\n'), {
      file: first?.file,
      line: first?.line,
      field: first?.field,
      validValues: first?.validValues,
      fix: first?.fix,
    })
    this.problems = problems
  }
}

export function problemText(p: ConfigProblem): string {
  const place = p.line === undefined ? p.file : `${p.file}:${p.line}`
  const valid = p.validValues === undefined || p.validValues.length === 0 ? '' : `; valid: ${p.validValues.join(', ')}`
  const fix = p.fix === undefined ? '' : `; fix: ${p.fix}`
  return `${place}: ${p.field === '' ? '(root)' : p.field}: ${p.message}${valid}${fix}`
}

function readText(file: string): string {
  try {
    if (statSync(file).size > BYTES_MAX) throw new ConfigError(`${file} is larger than ${BYTES_MAX} bytes`, { file })
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const reason = error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : String(error)
    throw new ConfigError(`${file}: ${reason}`, { file, cause: error, fix: 'give the path of a readable YAML file' })
  }
}

function parse(text: string, file: string, lineCounter: LineCounter): { document: YamlDocument; value: unknown } {
  try {
    const document = parseDocument(text, { lineCounter, strict: true, uniqueKeys: true })
    const error = document.errors[0]
    if (error !== undefined) {
      const line = lineCounter.linePos(error.pos[0]).line
      const message = error.message.split('\n')[0] ?? 'not YAML'
      throw new ConfigProblemsError([{ file, line, field: '', message, fix: 'correct the YAML on that line' }])
    }
    const value: unknown = document.toJS({ maxAliasCount: 50 }) ?? {}
    if (!isRecord(value)) {
      throw new ConfigProblemsError([
        { file, line: 1, field: '', message: 'is not a map of settings', fix: 'write `name: value` lines' },
      ])
    }
    return { document, value }
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigProblemsError([
      { file, line: undefined, field: '', message: `cannot be read as YAML: ${(error as Error).message}` },
    ])
  }
}

function readOverride(override: EnvironmentOverride, text: string): unknown {
  if (override.kind === 'string') return text
  if (override.kind === 'list')
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
  // Anything but a plain integer stays text, so that the schema names the problem and the variable.
  return /^-?\d{1,15}$/.test(text.trim()) ? Number(text.trim()) : text
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function setPath(target: unknown, path: readonly string[], value: unknown): unknown {
  const [head, ...rest] = path
  if (head === undefined) return value
  const base = isRecord(target) ? target : {}
  return { ...base, [head]: setPath(base[head], rest, value) }
}

function deepMerge(target: unknown, given: Readonly<Record<string, unknown>>): unknown {
  const out: Record<string, unknown> = isRecord(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue
    out[key] = isRecord(value) ? deepMerge(out[key], value) : value
  }
  return out
}

interface Explained {
  readonly path: readonly (string | number)[]
  readonly key?: string
  readonly message: string
  readonly validValues?: readonly string[]
  readonly fix?: string
}

function explain(issue: z.core.$ZodIssue, input: unknown, schema: z.ZodType): Explained[] {
  const path = issue.path.map((p) => (typeof p === 'symbol' ? String(p) : p))
  const found = valueAt(input, path)
  const shown =
    found === undefined
      ? 'nothing'
      : clip(JSON.stringify(redact({ [String(path.at(-1) ?? '')]: found })[String(path.at(-1) ?? '')]) ?? String(found))
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        key,
        message: 'is not a setting',
        validValues: settingsAt(schema, path),
        fix: 'remove it or correct its name',
      }))
    case 'invalid_value': {
      const validValues = issue.values.map(String)
      return [{ path, message: `${shown} is not valid`, validValues, fix: `use one of the valid values` }]
    }
    case 'invalid_union': {
      const first = issue.errors[0]?.[0]
      return [{ path, message: first === undefined ? issue.message : `${shown}: ${first.message}` }]
    }
    case 'invalid_type':
      if (found === undefined) return [{ path, message: 'is missing', fix: `give a ${issue.expected}` }]
      return [{ path, message: `${shown} is not a ${issue.expected}`, fix: `give a ${issue.expected}` }]
    case 'too_small':
      return [{ path, message: `${shown} is below the least of ${issue.minimum}`, fix: `give ${issue.minimum} or more` }]
    case 'too_big':
      return [{ path, message: `${shown} is above the most of ${issue.maximum}`, fix: `give ${issue.maximum} or less` }]
    default:
      return [{ path, message: `${shown}: ${issue.message}` }]
  }
}

const clip = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}…` : text)

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let at = value
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined
    at = (at as Record<string | number, unknown>)[key]
  }
  return at
}

interface SchemaNode {
  readonly shape?: Readonly<Record<string, SchemaNode>>
  readonly element?: SchemaNode
  readonly def?: { readonly innerType?: SchemaNode; readonly valueType?: SchemaNode }
}

/** The names a map of the configuration may have; none where names are free. */
function settingsAt(schema: z.ZodType, path: readonly (string | number)[]): string[] {
  const bare = (node: SchemaNode | undefined): SchemaNode | undefined =>
    node?.def?.innerType === undefined ? node : bare(node.def.innerType)
  let at = bare(schema as SchemaNode)
  for (const key of path) at = bare(typeof key === 'number' ? at?.element : (at?.shape?.[key] ?? at?.def?.valueType))
  return Object.keys(at?.shape ?? {})
}

/** The line of a field; of its nearest parent that stands in the file when it does not itself. */
function lineOf(
  document: YamlDocument,
  path: readonly (string | number)[],
  lines: LineCounter,
  key?: string,
): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) {
      const line = lines.linePos(node.range[0]).line
      // A nested map begins on the line behind its key.
      return key !== undefined || length === path.length ? line : Math.max(1, line - 1)
    }
  }
  return undefined
}

const fieldText = (path: readonly (string | number)[]): string =>
  path.map((p, i) => (typeof p === 'number' ? `[${p}]` : i === 0 ? p : `.${p}`)).join('')
