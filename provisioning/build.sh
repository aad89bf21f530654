#!/usr/bin/env bash
# Compiles the tree into dist/ (incremental: with nothing changed it takes well under a second) and lays the files
# that programs read at run time beside their code.
set -euo pipefail
cd "$(dirname "$0")/.."
node_modules/.bin/tsc -p tsconfig.json
find daemon drivers models sync -name '*.html' -print0 | while IFS= read -r -d '' file; do
  mkdir -p "dist/$(dirname "$file")"
  cp -u "$file" "dist/$file"
done
