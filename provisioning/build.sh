#!/usr/bin/env bash
# Compiles the tree into dist/ (incremental: with nothing changed it takes well under a second), lays the files that
# programs read at run time beside their code, and removes what is left of sources that are gone.
set -euo pipefail
cd "$(dirname "$0")/.."
find daemon drivers models sync -name '*.html' -print0 | while IFS= read -r -d '' file; do
  mkdir -p "dist/$(dirname "$file")"
  cp -u "$file" "dist/$file"
done
node_modules/.bin/tsc -p tsconfig.json
find dist \( -name '*.js' -o -name '*.cjs' \) -print0 | while IFS= read -r -d '' file; do
  source=${file#dist/}
  source=${source%js}ts
  [ -f "$source" ] || rm -f "$file" "$file.map"
done
