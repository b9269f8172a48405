// Runs the benches, one process each, prints a table and writes bench/results/latest.json.
//   node bench/run.mjs            all     (make bench)
//   ONLY=ring.spsc,kafka. node bench/run.mjs     ids or prefixes, separated by commas
// BENCH_SCALE=0.01 BENCH_PAIRS=1 makes them tiny: the tests run them so that they cannot rot.
// The kafka.* benches share one real broker, which lives as long as this process.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const out = join(root, 'build', 'bench')
// Five times what the longest takes: one that waits for what never comes is ended.
const BENCH_MS_MAX = 600_000

// id → the file that prints its rows, and what the owner asked for: at least, aim.
const benches = [
  { id: 'decode.kite-full', file: 'ts/decode-kite.ts', atLeast: 500, aim: 2000 },
  { id: 'decode.binance-trade', file: 'native/decode_binance_bench.cc', atLeast: 2, aim: 4 },
  { id: 'decode.binance-trade-js', file: 'ts/decode-binance.ts', atLeast: 10, aim: 25 },
  { id: 'ring.spsc', file: 'native/ring_spsc_bench.cc', atLeast: 1.2, aim: 1.2 },
  { id: 'ring.to-js', file: 'ts/ring-to-js.ts', atLeast: 5, aim: 15 },
  { id: 'journal.append', file: 'ts/journal-append-nosync.ts', atLeast: 10, aim: 50 },
  { id: 'journal.append-sync', file: 'ts/journal-append-sync.ts', atLeast: 1, aim: 2 },
  { id: 'journal.limit', file: 'native/journal_limit_bench.cc', atLeast: 0.3, aim: 0.6 },
  { id: 'pipeline.replay', file: 'ts/pipeline-replay.ts', atLeast: 10, aim: 30 },
  { id: 'pipeline.latency', file: 'ts/pipeline-latency.ts', atLeast: 2, aim: 10 },
  { id: 'kafka.produce-keyed', file: 'ts/kafka-produce-keyed.ts', atLeast: 4, aim: 6 },
  { id: 'kafka.produce-batched', file: 'ts/kafka-produce-batched.ts', atLeast: 15, aim: 30 },
  { id: 'kafka.produce-batched-40', file: 'ts/kafka-produce-batched-40.ts', atLeast: 5, aim: 10 },
  { id: 'kafka.produce-java', file: 'ts/kafka-produce-java.ts', atLeast: 4, aim: 8 },
  { id: 'kafka.consume-keyed', file: 'ts/kafka-consume-keyed.ts', atLeast: 6, aim: 12 },
  { id: 'kafka.consume-batched', file: 'ts/kafka-consume-batched.ts', atLeast: 25, aim: 60 },
  { id: 'kafka.latency', file: 'ts/kafka-latency.ts', atLeast: 2, aim: 5 },
  { id: 'kafka.lag', file: 'ts/kafka-lag.ts', atLeast: 500, aim: 100 },
]

const only = process.env.ONLY ?? ''
const chosen = benches.filter((bench) =>
  only.split(',').some((name) => {
    const isId = benches.some(({ id }) => id === name)
    return isId ? bench.id === name : bench.id.startsWith(name)
  }),
)
if (chosen.length === 0) {
  console.error(`no bench is called ${only}; there are ${benches.map((bench) => bench.id).join(', ')}`)
  process.exit(2)
}

function buildNative(names) {
  if (names.length === 0) return
  const configure = ['-S', join(root, 'native'), '-B', out, '-G', 'Ninja', '-DTW_BENCH=ON']
  for (const [command, args] of [
    ['cmake', configure],
    ['ninja', ['-C', out, ...names]],
  ]) {
    const run = spawnSync(command, args, { encoding: 'utf8' })
    if (run.status === 0) continue
    console.error(run.stdout, run.stderr)
    process.exit(1)
  }
}

mkdirSync(out, { recursive: true })
mkdirSync(join(root, 'bench', 'results'), { recursive: true })
const nativeName = (file) => file.replace(/^native\//, '').replace(/\.cc$/, '')
buildNative(chosen.filter((bench) => bench.file.endsWith('.cc')).map((bench) => nativeName(bench.file)))

// The native halves of JavaScript benches: an addon of its own, never part of the engine's.
if (chosen.some((bench) => bench.file.endsWith('.ts'))) {
  const cmakeJs = join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js')
  const args = [
    cmakeJs,
    'compile',
    '--directory',
    join(root, 'native'),
    '--out',
    join(root, 'build', 'bench-addon'),
    '--generator',
    'Ninja',
    '--CDTW_BENCH=ON',
    '--target',
    'tickwire_bench',
  ]
  const run = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (run.status !== 0) {
    console.error(run.stdout, run.stderr)
    process.exit(1)
  }
}

function bundle(source, target) {
  return build({
    entryPoints: [source],
    outfile: target,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  })
}

const environment = { ...process.env }
let broker
if (chosen.some((bench) => bench.id.startsWith('kafka.'))) {
  const target = join(out, 'kafka-broker.mjs')
  await bundle(join(root, 'bench', 'ts', 'kafka-broker.ts'), target)
  broker = spawn(process.execPath, [target], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  const address = await Promise.race([once(broker.stdout, 'data'), once(broker, 'exit').then(() => undefined)])
  if (address === undefined) process.exit(1)
  environment.BENCH_KAFKA = String(address[0]).trim()
}

const rows = []
let failed = 0
for (const bench of chosen) {
  const source = join(root, 'bench', bench.file)
  if (!existsSync(source)) {
    console.error(`${bench.id}: ${bench.file} does not exist`)
    failed += 1
    continue
  }
  const target = join(out, bench.file.endsWith('.cc') ? nativeName(bench.file) : `${bench.id}.mjs`)
  if (bench.file.endsWith('.ts')) await bundle(source, target)
  if (process.stdout.isTTY) process.stdout.write(`${bench.id}…\r`)
  const command = bench.file.endsWith('.cc') ? [target] : [process.execPath, '--expose-gc', target]
  const run = spawnSync(command[0], command.slice(1), {
    cwd: root,
    env: environment,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    timeout: BENCH_MS_MAX,
    killSignal: 'SIGKILL',
  })
  if (run.status !== 0) {
    console.error(`${bench.id} failed (${run.status ?? run.signal}):\n${run.stdout}${run.stderr}`)
    failed += 1
    continue
  }
  for (const line of run.stdout.split('\n').filter((text) => text.startsWith('{'))) {
    const row = JSON.parse(line)
    rows.push(row)
    const result =
      row.ratio === undefined
        ? `${row.value.toPrecision(4)} ${row.unit}`
        : `${row.ratio.toPrecision(4)}× (${row.min.toPrecision(3)}–${row.max.toPrecision(3)})`
    const detail =
      row.ratio === undefined
        ? ''
        : `  ours ${row.ours.toPrecision(4)} ${row.unit}, ${row.peer} ${row.theirs.toPrecision(4)} ${row.unit}`
    const unit = row.ratio === undefined ? ` ${row.unit}` : '×'
    const bound = row.better === 'less' ? 'at most' : 'at least'
    const goal = row.id === bench.id ? `  ${bound} ${bench.atLeast}${unit}, aim ${bench.aim}${unit}` : ''
    const note = row.note === undefined ? '' : `  ${row.note}`
    console.log(`${row.id.padEnd(26)} ${result.padEnd(26)}${goal}${detail}${note}`)
  }
}

if (broker !== undefined) {
  broker.stdin.end()
  await once(broker, 'exit')
}

const file = join(root, 'bench', 'results', 'latest.json')
if (only === '' && process.env.BENCH_SCALE === undefined) writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`)
else if (existsSync(file) && process.env.BENCH_SCALE === undefined) {
  const kept = JSON.parse(readFileSync(file, 'utf8')).filter((row) => !rows.some((fresh) => fresh.id === row.id))
  writeFileSync(file, `${JSON.stringify([...kept, ...rows], null, 2)}\n`)
}
const cpu = cpus()[0]?.model ?? 'unknown'
console.log(`machine: ${cpus().length} × ${cpu}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`)
process.exit(failed === 0 ? 0 : 1)
