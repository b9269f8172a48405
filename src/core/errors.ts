/**
 * Operating errors. Each takes its code and its way of being retried from its class, and stands in docs/reference/errors.md
 * (a test compares the two). Programmer mistakes are asserted, and refusals on the data path are values: neither is here.
 */

/** How often and how long a failed piece of work is tried again. */
export type RetryClass = 'TRANSIENT' | 'INFRASTRUCTURE' | 'RATE_LIMIT' | 'BUSINESS' | 'AUTH' | 'POISON'

/** Where an error was found and what to do about it; the CLI prints each on its own line. */
export interface ErrorDetails extends ErrorOptions {
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly field?: string | undefined
  readonly validValues?: readonly string[] | undefined
  readonly fix?: string | undefined
}

export abstract class PlatformError extends Error {
  static readonly code: string = 'MD_UNKNOWN'
  static readonly retryClass: RetryClass = 'POISON'
  /** What the process answers when this error ends it; see docs/reference/cli.md. */
  static readonly exitCode: number = 1
  readonly code: string
  readonly retryClass: RetryClass
  readonly exitCode: number
  readonly file: string | undefined
  readonly line: number | undefined
  readonly field: string | undefined
  readonly validValues: readonly string[] | undefined
  readonly fix: string | undefined

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.code = new.target.code
    this.retryClass = new.target.retryClass
    this.exitCode = new.target.exitCode
    this.file = details.file
    this.line = details.line
    this.field = details.field
    this.validValues = details.validValues
    this.fix = details.fix
  }
}

/** A setting that is missing, unknown or out of range. */
export class ConfigError extends PlatformError {
  static override readonly code: string = 'MD_CONFIG'
  static override readonly exitCode = 2
}

/** A command line that cannot be understood. */
export class UsageError extends PlatformError {
  static override readonly code = 'MD_USAGE'
  static override readonly exitCode = 2
}

/** A topic name, asset class, data type or exchange that is not declared. */
export class TopicError extends ConfigError {
  static override readonly code = 'MD_TOPIC'
}

/** A symbol outside [A-Z0-9.&_-]{1,40}. */
export class SymbolError extends PlatformError {
  static override readonly code = 'MD_SYMBOL'
  static override readonly exitCode = 2
}

/** The machine lacks something: the addon is not built, a directory cannot be written, a port is taken. */
export class EnvironmentError extends PlatformError {
  static override readonly code: string = 'MD_ENVIRONMENT'
  static override readonly retryClass: RetryClass = 'INFRASTRUCTURE'
  static override readonly exitCode = 3
}

/** Kafka was asked for and its addon or librdkafka is not here. */
export class KafkaUnavailableError extends EnvironmentError {
  static override readonly code = 'MD_KAFKA_UNAVAILABLE'
}

/** No broker answers, or not as asked: connection, authentication, authorization, a refused request. */
export class KafkaError extends PlatformError {
  static override readonly code: string = 'MD_KAFKA'
  static override readonly retryClass: RetryClass = 'INFRASTRUCTURE'
  static override readonly exitCode = 3
}

/** A broker refuses our credentials or certificate, or we its. */
export class KafkaAuthError extends KafkaError {
  static override readonly code = 'MD_KAFKA_AUTH'
  static override readonly retryClass = 'AUTH'
}

/** The schema registry refuses a request or a schema, or holds one that ours is not compatible with. */
export class SchemaRegistryError extends PlatformError {
  static override readonly code: string = 'MD_SCHEMA_REGISTRY'
}

/** The schema registry does not answer, or not in time: ids that are known go on being used. */
export class SchemaRegistryAwayError extends SchemaRegistryError {
  static override readonly code = 'MD_SCHEMA_REGISTRY_AWAY'
  static override readonly retryClass = 'INFRASTRUCTURE'
  static override readonly exitCode = 3
}

/** No room to append: ENOSPC or EDQUOT. */
export class DiskFullError extends EnvironmentError {
  static override readonly code = 'MD_DISK_FULL'
}

/** The log refused or could not do what was asked. */
export class LogError extends PlatformError {
  static override readonly code: string = 'MD_LOG'
  static override readonly retryClass: RetryClass = 'INFRASTRUCTURE'
}

/** A partition's lock was not had in time. */
export class LogBusyError extends LogError {
  static override readonly code = 'MD_LOG_BUSY'
  static override readonly retryClass = 'TRANSIENT'
}

/** This member was replaced: what it commits or writes is refused. */
export class FencedError extends LogError {
  static override readonly code = 'MD_FENCED'
  static override readonly retryClass = 'POISON'
}

/** A sink or group that stands on another log: its positions mean nothing here. */
export class LogMismatchError extends LogError {
  static override readonly code = 'MD_LOG_MISMATCH'
  static override readonly retryClass = 'POISON'
}

/** A definition that contradicts the registry. */
export class RegistryError extends PlatformError {
  static override readonly code: string = 'MD_REGISTRY'
}

/** Another process writes this exchange's registry and did not finish in time. */
export class RegistryBusyError extends RegistryError {
  static override readonly code = 'MD_REGISTRY_BUSY'
  static override readonly retryClass = 'TRANSIENT'
}

/** A record that cannot be processed, however often it is tried. */
export class PoisonRecordError extends PlatformError {
  static override readonly code = 'MD_POISON_RECORD'
}

/** A handler refused a record for a reason of its own. */
export class BusinessError extends PlatformError {
  static override readonly code = 'MD_BUSINESS'
  static override readonly retryClass = 'BUSINESS'
}

/** A feed could not be reached or was lost. */
export class FeedConnectionError extends PlatformError {
  static override readonly code = 'MD_FEED_CONNECTION'
  static override readonly retryClass = 'TRANSIENT'
}

/** A venue answered that we ask too often. */
export class FeedRateLimitError extends PlatformError {
  static override readonly code = 'MD_FEED_RATE_LIMIT'
  static override readonly retryClass = 'RATE_LIMIT'
}

/** A venue does not accept our credentials. */
export class FeedAuthError extends PlatformError {
  static override readonly code = 'MD_FEED_AUTH'
  static override readonly retryClass = 'AUTH'
}

/** A capture or file that cannot be replayed as asked. */
export class SourceError extends PlatformError {
  static override readonly code = 'MD_SOURCE'
}

/** A service failed more often than its limit allows, or could not be built. */
export class ServiceError extends PlatformError {
  static override readonly code = 'MD_SERVICE'
  static override readonly retryClass = 'INFRASTRUCTURE'
}

/** A check that was asked for came out false: verify, doctor, a demo whose sum does not hold. */
export class CheckFailedError extends PlatformError {
  static override readonly code = 'MD_CHECK_FAILED'
}
