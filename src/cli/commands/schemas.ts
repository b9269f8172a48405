/** `schemas plan | apply | check`: the subjects of a registry as declared. */
import type { Command } from 'commander'
import { CheckFailedError, UsageError } from '../../core/errors.js'
import type { SchemaRegistry } from '../../log/kafka/schemas-client.js'
import { applySchemas, planSchemas, refuseIncompatible, type SchemaChange } from '../../log/kafka/schemas-plan.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { formatOf, rowsText } from '../output.js'
import {
  changeColumns,
  confirmed,
  type Declared,
  declaredOf,
  registryOf,
  registryOption,
  type SelectionOptions,
  schemaRow,
  seconds,
  withSelection,
  yesOption,
} from '../topics-cluster.js'

export function schemasCommand(io: Io): Command {
  return commandOf('schemas', 'the Avro schemas of open views in a schema registry', [
    'schemas plan --registry http://localhost:8081 --exchanges binance',
    'schemas check --registry http://localhost:8081 --all',
  ])
    .addCommand(planCommand(io))
    .addCommand(applyCommand(io))
    .addCommand(checkCommand(io))
}

const withRegistry = (command: Command): Command => withSelection(command).addOption(registryOption())

async function planned(io: Io, options: SelectionOptions) {
  const declared = declaredOf(io, options)
  const registry = registryOf(io, declared.settings)
  if (registry === undefined) {
    throw new UsageError('no schema registry is named', { field: '--registry', fix: 'give --registry or SCHEMA_REGISTRY_URL' })
  }
  const changes = await planSchemas(registry, declared.schemas)
  await io.out(rowsText(changes.map(schemaRow), formatOf(io, options.format), changeColumns))
  io.err(`${declared.schemas.length} subjects, ${changes.length === 0 ? 'nothing to change' : `${changes.length} to change`}\n`)
  return { declared, registry, changes } satisfies { declared: Declared; registry: SchemaRegistry; changes: SchemaChange[] }
}

function planCommand(io: Io): Command {
  return withRegistry(
    commandOf('plan', 'print what would be registered; nothing is changed', [
      'schemas plan --registry http://localhost:8081 --exchanges binance,asx',
    ]),
  ).action(async (options: SelectionOptions) => {
    refuseIncompatible((await planned(io, options)).changes)
  })
}

function applyCommand(io: Io): Command {
  return withRegistry(
    commandOf('apply', 'register what is missing, after all of it was found compatible', [
      'schemas apply --registry http://localhost:8081 --all --yes',
      'SCHEMA_REGISTRY_URL=https://registry:8081 tickwire schemas apply --exchanges binance',
    ]),
  )
    .addOption(yesOption())
    .action(async (options: SelectionOptions & { yes?: boolean }) => {
      const { declared, registry, changes } = await planned(io, options)
      refuseIncompatible(changes)
      if (changes.length === 0 || !(await confirmed(io, options.yes, `register at ${registry.url}`))) return
      const begin = io.clock.monotonicMs()
      const count = await applySchemas(registry, declared.schemas)
      io.err(`${count} schemas registered in ${seconds(io.clock.monotonicMs() - begin)}\n`)
    })
}

function checkCommand(io: Io): Command {
  return withRegistry(
    commandOf('check', 'exit 1 when a declared schema is missing, not compatible, or its subject would take anything', [
      'schemas check --registry http://localhost:8081 --exchanges binance',
    ]),
  ).action(async (options: SelectionOptions) => {
    const { changes, registry } = await planned(io, options)
    refuseIncompatible(changes)
    if (changes.length > 0)
      throw new CheckFailedError(`${changes.length} differences between the declaration and ${registry.url}`, {
        fix: '`tickwire schemas apply` registers what is missing',
      })
  })
}
