# Everything a person types. Each target does what it needs first; nothing is built twice.
#   make demo      a simulated market, live bars in the browser and the terminal (DEMO_SECONDS=20 ends by itself)
#   make test      native and TypeScript tests; the last line is the sum
#   make kafka     the Kafka engine; builds librdkafka the first time (about 90 s), which make test does as well
#   make check     types, lint, generated files
#   make bench     against the named peers (ONLY=<id>)      make fuzz   FUZZ_SECONDS=60 each
#   make chaos     the crash suite, 1,000 kills             make soak   two minutes at 50,000 ticks/s
#   make sanitize  the native tests under ThreadSanitizer, then under Address- and UndefinedBehaviorSanitizer
SHELL := /bin/sh
.DEFAULT_GOAL := build
.PHONY: setup setup-test setup-kafka deps native ts build kafka kafka-dist demo test check check-generated bench fuzz sanitize chaos soak clean

bin := node_modules/.bin
results := build/results

setup:
	@sh scripts/setup.sh

setup-test:
	@sh scripts/setup.sh test

setup-kafka:
	@sh scripts/setup.sh kafka

# npm writes this file last: it is as old as what is installed.
node_modules/.package-lock.json: package-lock.json
	@echo "installing npm packages (nothing is compiled: a few seconds)…"
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

deps: setup node_modules/.package-lock.json

native: deps
	@node scripts/build-native.mjs

ts: deps
	@npm run --silent build:ts
	@npm run --silent build:web
	@node scripts/build-demo.mjs

build: native ts

# Needed only by who asks for Kafka: the demo on the embedded log compiles no librdkafka.
kafka: setup-kafka deps
	@node scripts/build-librdkafka.mjs
	@node scripts/build-native.mjs kafka

# The broker, the registry and Python's clients that tests run against, in the user's cache.
kafka-dist: setup-test
	@node scripts/kafka-dist.mjs broker registry python >/dev/null

demo: build
	@node dist/main.js demo

check: deps
	@$(bin)/tsc -p tsconfig.json --noEmit
	@$(bin)/biome check --error-on-warnings
	@$(MAKE) --no-print-directory check-generated

check-generated: native
	@node scripts/generate.mjs --check

# Both suites always run; the summary decides.
test: setup-test build kafka kafka-dist
	@rm -rf $(results) && mkdir -p $(results)/native
	@echo "building the native tests…"
	@cmake -S native -B build/test -G Ninja -DTW_TESTS=ON -DTW_KAFKA=ON >build/test-configure.log 2>&1 || { cat build/test-configure.log; exit 1; }
	@ninja -C build/test >build/test-build.log 2>&1 || { tail -n 60 build/test-build.log; exit 1; }
	@GTEST_OUTPUT=xml:$(CURDIR)/$(results)/native/ ctest --test-dir build/test --output-on-failure --output-junit $(CURDIR)/$(results)/ctest.xml || true
	@$(bin)/vitest run --reporter=default --reporter=json --outputFile.json=$(results)/vitest.json || true
	@node scripts/test-summary.mjs $(results)

bench: setup-test build kafka kafka-dist
	@node bench/run.mjs

fuzz: setup-test deps
	@node scripts/fuzz.mjs

sanitize: setup-test deps
	@node scripts/sanitize.mjs

chaos: setup-test build kafka kafka-dist
	@CHAOS_KILLS=$${CHAOS_KILLS:-1000} $(bin)/vitest run --config vitest.chaos.config.ts

soak: build
	@node bench/soak.mjs

clean:
	@rm -rf build dist
