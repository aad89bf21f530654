#!/usr/bin/env bash
# What must hold before the tests: format and lint, floating promises and the like, types (the core without Node's),
# import directions, dead code. Every step runs, so that one run names all there is to mend.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=()
run() {
  local name=$1
  shift
  if "$@"; then echo "check: $name ok"; else failed+=("$name"); fi
}
bin=node_modules/.bin
run format-and-lint $bin/biome ci --error-on-warnings .
run type-aware-lint $bin/oxlint --type-aware --config provisioning/oxlint.json --deny-warnings daemon drivers models sync provisioning test
run types $bin/tsc -p tsconfig.json --noEmit
run core-without-node $bin/tsc -p daemon/core/tsconfig.json
run import-directions node dist/provisioning/import-rules.js .
run dead-code $bin/knip --no-progress
if [ ${#failed[@]} -gt 0 ]; then
  echo "check: failed: ${failed[*]}" >&2
  exit 1
fi
echo "check: all ok"
