import type { Command } from 'commander'
import { redact } from '../../core/redact.js'
import { loadExchanges } from '../../model/exchanges.js'
import { loadTopics } from '../../model/topics-file.js'
import { checkFeeds } from '../../services/ingestion.js'
import { checkExchanges, exchangesFileOf, loadSettings, topicsFileOf } from '../../services/settings.js'
import { commandOf } from '../command.js'
import type { Io } from '../io.js'
import { jsonText } from '../output.js'

export function configCommand(io: Io): Command {
  return commandOf('config', 'look at the configuration', ['config check --config tickwire.yaml']).addCommand(checkCommand(io))
}

function checkCommand(io: Io): Command {
  return commandOf('check', 'say what is wrong with a configuration, by file, line and field; exit 2 when something is', [
    'config check --config tickwire.yaml',
    'config check --print',
  ])
    .option('--config <file>', 'the file; without it defaults and environment alone')
    .option('--print', 'print what would be used, secrets left out')
    .action(async (options: { config?: string; print?: boolean }) => {
      const settings = loadSettings({ file: options.config, environment: io.environment })
      const topics = loadTopics(topicsFileOf(settings))
      const exchanges = loadExchanges(exchangesFileOf(settings))
      checkExchanges(settings, exchanges)
      if (settings.ingestion.feeds.length > 0) checkFeeds(settings.ingestion.feeds)
      for (const { assetClass, exchange } of topics.exchanges) {
        exchanges.get(exchange)
        topics.getTopicConfig(assetClass, 'trades', exchange)
      }
      if (options.print === true) await io.out(`${JSON.stringify(JSON.parse(jsonText(redact(settings))), null, 2)}\n`)
      else
        await io.out(
          `ok: ${options.config ?? 'defaults and environment'}, ${topics.list().length} topics, ${exchanges.names.length} exchanges\n`,
        )
    })
}
