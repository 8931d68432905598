#!/bin/sh
# Brings the trace viewers that tests/browser/run.py loads exported JSON into: Chromium and catapult from the
# distribution, the rest from npm into build/viewers (no install scripts run). What cannot be had is told; run.py
# skips it.
set -u
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
viewers=$here/../../build/viewers
packages="chromium fonts-dejavu-core golang-1.19-src nodejs npm"
failed=0

have() { command -v "$1" >/dev/null 2>&1; }

missing=""
for package in $packages; do
    case $package in
        nodejs) have node && continue ;;
        npm | chromium) have "$package" && continue ;;
        *) dpkg -s "$package" >/dev/null 2>&1 && continue ;;
    esac
    missing="$missing $package"
done

if [ -n "$missing" ]; then
    if ! have apt-get; then
        echo "install these with your package manager:$missing" >&2
        failed=1
    else
        sudo=""
        [ "$(id -u)" = 0 ] || sudo=sudo
        # One by one: another release has another golang, and the rest is still worth having.
        for package in $missing; do
            if ! timeout 600 $sudo apt-get install -y --no-install-recommends "$package" </dev/null >/dev/null; then
                echo "cannot install $package" >&2
                failed=1
            fi
        done
    fi
fi

if have npm; then
    mkdir -p "$viewers"
    if ! cmp -s "$here/package-lock.json" "$viewers/.installed"; then
        cp "$here/package.json" "$here/package-lock.json" "$viewers/"
        if (cd "$viewers" && timeout 600 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null); then
            cp "$here/package-lock.json" "$viewers/.installed"
        else
            echo "cannot install the npm packages of tests/browser/package.json" >&2
            failed=1
        fi
    fi
fi

# playwright-core runs on Node 20 and above; Debian 12 and Ubuntu 24.04 have 18. npm carries Node itself.
node_version=22.12.0
if have node && have npm && [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ] && [ ! -x "$viewers/node/bin/node" ]; then
    name=node-linux-$(node -p process.arch)
    if (cd "$viewers" && timeout 600 npm install --prefix own-node --ignore-scripts --no-audit --no-fund --loglevel=error \
        "$name@$node_version" </dev/null >/dev/null) && rm -rf "$viewers/node" && ln -s "own-node/node_modules/$name" "$viewers/node"; then :; else
        echo "cannot install $name from npm" >&2
        failed=1
    fi
fi
exit $failed
