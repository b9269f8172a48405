/**
 * The command line. Reads arguments, configuration and data directories; writes data to standard output, everything else to standard
 * error; one event loop. A slow reader of its output slows a command down; a closed one ends it.
 */
export { type Io, processIo } from './io.js'
export { runCli } from './program.js'
