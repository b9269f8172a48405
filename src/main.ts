#!/usr/bin/env node
/** The `tickwire` command. */
import { processIo, runCli } from './cli/index.js'

process.exitCode = await runCli(process.argv.slice(2), processIo())
