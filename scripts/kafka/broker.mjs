// Apache Kafka's jars from Maven, and how Java is told to use them.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { archiveClasses } from './archive.mjs'
import { cached } from './cache.mjs'
import { deployDirectory } from './node.mjs'
import { call, say, timed } from './tools.mjs'

const pom = join(deployDirectory, 'pom.xml')
const logging = join(deployDirectory, 'log4j2.properties')
const kafkaVersion = /<kafka\.version>([^<]+)</.exec(readFileSync(pom, 'utf8'))[1]

export const dependencyPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1'
/** Maven's own settings for quiet use in a script. */
export const quietly = ['-B', '-q', '-ntp']

/** The file that goes to Java as `@file`: class path, class archive and logging. Heap and compiler flags are the caller's. */
export const javaArguments = (home) => join(home, 'java.args')

/** Kafka's home in the cache: `libs/*.jar`, `java.args`, and `kafka.jsa` where this Java could make it. */
export async function brokerHome() {
  const stamp = createHash('sha256').update(readFileSync(pom)).update(readFileSync(logging)).digest('hex')
  const home = cached(`kafka-${kafkaVersion}`, stamp, (directory) => {
    copyFileSync(logging, join(directory, 'log4j2.properties'))
    timed(`getting Apache Kafka ${kafkaVersion} from Maven (55 MB, 5 to 60 s)`, () =>
      call('mvn', [
        ...quietly,
        '-f',
        pom,
        `${dependencyPlugin}:copy-dependencies`,
        '-DincludeScope=runtime',
        `-DoutputDirectory=${join(directory, 'libs')}`,
      ]),
    )
  })
  writeArguments(home, javaArguments(home), await archiveOnce(home))
  return home
}

/** Written when it would differ: the cache may have been moved, the archive made since. */
function writeArguments(home, file, archive) {
  // An archive of classes is valid for one class path in one order only, so the jars are listed and sorted.
  const jars = readdirSync(join(home, 'libs'))
    .filter((name) => name.endsWith('.jar'))
    .toSorted()
    .map((name) => join(home, 'libs', name))
  const quoted = (text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  const lines = ['-cp', quoted(jars.join(':')), quoted(`-Dlog4j2.configurationFile=${join(home, 'log4j2.properties')}`)]
  // An archive of another Java is passed over, and the start is a second slower: nothing to say about it.
  if (existsSync(archive)) lines.push(quoted(`-XX:SharedArchiveFile=${archive}`), '-Xlog:disable', '-Xlog:all=error:stderr')
  const text = `${lines.join('\n')}\n`
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return
  writeFileSync(`${file}.${process.pid}`, text)
  renameSync(`${file}.${process.pid}`, file)
}

/** Made once: an archive of the classes that a start loads. Without it everything works, a second later. */
async function archiveOnce(home) {
  const archive = join(home, 'kafka.jsa')
  const refused = join(home, 'kafka.jsa.failed')
  if (existsSync(archive) || existsSync(refused)) return archive
  const temporary = mkdtempSync(join(home, '.archive-'))
  try {
    const started = performance.now()
    say('making the class archive that halves each start…')
    const file = join(temporary, 'java.args')
    writeArguments(home, file, archive)
    await archiveClasses(temporary, file, join(temporary, 'kafka.jsa'))
    renameSync(join(temporary, 'kafka.jsa'), archive)
    say(`done in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  } catch (error) {
    writeFileSync(refused, `${error.message}\n`)
    say(`no class archive: ${error.message.split('\n')[0]}`)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  return archive
}
