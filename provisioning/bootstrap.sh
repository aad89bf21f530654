#!/usr/bin/env bash
# Makes a fresh Debian 12 machine able to run, show or test Saypay, and is quick when nothing is missing.
#
#   bash provisioning/bootstrap.sh [--run | --demo | --test] [--quiet]
#
#   --run    what a terminal or a ledger needs
#   --demo   and the virtual hardware: sound without a sound card, a card without a reader, a broker
#   --test   and a browser, which the tests drive the customer display with
#
# It installs missing Debian packages (as root, or by sudo), node modules from the npm registry, and compiles. Nothing is
# downloaded from anywhere else: native modules are compiled here. What it does it says on standard error.
set -euo pipefail
cd "$(dirname "$0")/.."

level=run
quiet=
for argument in "$@"; do
  case "$argument" in
    --run | --demo | --test) level=${argument#--} ;;
    --quiet) quiet=1 ;;
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "bootstrap: unknown option $argument; see --help" >&2; exit 2 ;;
  esac
done

say() { [ -n "$quiet" ] || echo "bootstrap: $*" >&2; }
fail() { echo "bootstrap: $*" >&2; exit 1; }

RUN_PACKAGES="build-essential python3 pkg-config libasound2-dev libpcsclite-dev alsa-utils pcscd espeak-ng fonts-nanum fonts-nanum-coding fonts-droid-fallback fonts-symbola"
DEMO_PACKAGES="pulseaudio pulseaudio-utils libasound2-plugins vsmartcard-vpcd mosquitto openssl socat"
TEST_PACKAGES="chromium"

require_node() {
  command -v node >/dev/null || fail "Node.js 20.19 or later is needed; see https://nodejs.org"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Node.js 20.19 or later is needed, this is $(node --version)"
}

install_debian_packages() {
  local wanted=$RUN_PACKAGES missing=() package
  [ "$level" = run ] || wanted="$wanted $DEMO_PACKAGES"
  [ "$level" != test ] || wanted="$wanted $TEST_PACKAGES"
  command -v dpkg-query >/dev/null || fail "this is not Debian; install the equivalents of: $wanted"
  local installed
  # shellcheck disable=SC2086 # the list is words
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $wanted 2>/dev/null | awk '$1 == "ii" { print $2 }')
  for package in $wanted; do
    grep -qx "$package" <<<"$installed" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing Debian packages: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "run this as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  "${apt[@]}" update >&2 || fail "apt-get update failed; is the network up?"
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2 ||
    fail "apt-get could not install them; try it by hand: apt-get install ${missing[*]}"
}

# Native modules compile against Node's own headers. Where Node came without them, they are in its npm package.
node_headers() {
  local prefix
  prefix=$(node -p 'path.resolve(process.execPath, "../..")')
  if [ -f "$prefix/include/node/node_api.h" ]; then
    echo "$prefix"
    return
  fi
  local package version cache
  package=$(node -p '`node-linux-${process.arch}`')
  version=$(node -p process.versions.node)
  cache=$PWD/.cache/node-headers-$version
  if [ ! -f "$cache/include/node/node_api.h" ]; then
    say "fetching the headers of Node $version from the npm registry"
    mkdir -p "$cache"
    (cd "$cache" && npm pack --silent "$package@$version" >/dev/null && tar xzf "$package-$version.tgz" --strip-components 1 \
      package/include && rm "$package-$version.tgz") || fail "the headers of Node $version are not in the npm registry"
  fi
  echo "$cache"
}

install_node_modules() {
  local stamp=node_modules/.saypay wanted
  wanted="$(sha256sum <package-lock.json | cut -c1-64) $(node -p 'process.versions.modules + process.arch')"
  [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
  say "installing node modules (native ones are compiled, which takes a minute or two)"
  local headers log=.cache/npm-install.log
  headers=$(node_headers)
  mkdir -p .cache
  # npm hands these to the install scripts; build_from_source keeps them from fetching binaries elsewhere.
  npm_config_build_from_source=true npm_config_nodedir=$headers ONNXRUNTIME_NODE_INSTALL_CUDA=skip \
    npm ci --no-fund --no-audit --loglevel=error >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    fail "npm ci failed; the whole log is in $log"
  }
  echo "$wanted" >"$stamp"
}

compile() {
  local stamp=dist/.saypay
  if [ -f "$stamp" ] && [ -z "$(find daemon drivers models sync provisioning test tsconfig.json package.json \
    \( -name '*.ts' -o -name '*.cts' -o -name '*.html' -o -name '*.json' \) -newer "$stamp" -print -quit)" ]; then
    return
  fi
  say "compiling"
  bash provisioning/build.sh >&2
  touch "$stamp"
}

require_node
mkdir -p .cache
# Two commands at the same time must not install into each other's feet.
exec 9>.cache/bootstrap.lock
flock 9
install_debian_packages
install_node_modules
compile
