#!/usr/bin/env bash
# Compiles the tree into dist/ (incremental: a second run with nothing changed takes well under a second).
set -euo pipefail
cd "$(dirname "$0")/.."
node_modules/.bin/tsc -p tsconfig.json
