// Programs that the Kafka scripts call, and what to install when one is missing. Progress goes to stderr: stdout carries the answer.
import { spawnSync } from 'node:child_process'

export class MissingProgram extends Error {}

const packages = {
  mvn: 'maven',
  java: 'openjdk-17-jdk-headless',
  python3: 'python3-venv',
  tar: 'tar',
}

export const say = (line) => console.error(`kafka: ${line}`)

/** Runs a program to its end and gives what it printed; throws with its last lines when it fails. */
export function call(program, args, options = {}) {
  const result = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 << 20, ...options })
  if (result.error?.code === 'ENOENT') {
    const wanted = packages[program] ?? program
    throw new MissingProgram(
      `${program} is not here. On Debian: apt-get install --no-install-recommends ${wanted} (\`sh scripts/setup.sh test\` installs all that the tests need)`,
    )
  }
  if (result.error) throw result.error
  if (result.status !== 0) {
    const tail = `${result.stdout}${result.stderr}`.trim().split('\n').slice(-15).join('\n')
    throw new Error(`${program} ${args.slice(0, 2).join(' ')} … failed (${result.status ?? result.signal}):\n${tail}`)
  }
  return result.stdout
}

/** Says what is done, does it, says how long it took. */
export function timed(what, work) {
  say(`${what}…`)
  const started = performance.now()
  const result = work()
  say(`done in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return result
}

/** A Python environment of its own in `directory` with pinned packages; gives its interpreter. */
export function pythonEnvironment(directory, requirements) {
  try {
    call('python3', ['-m', 'venv', directory])
  } catch (error) {
    if (error instanceof MissingProgram) throw error
    throw new MissingProgram(
      `python3 cannot make a virtual environment. On Debian: apt-get install --no-install-recommends python3-venv\n${error.message}`,
    )
  }
  const python = `${directory}/bin/python`
  call(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:', ...requirements])
  return python
}
