#!/bin/sh
# Makes .venv and installs wardwatch into it. Does nothing when that is done and pyproject.toml has not changed.
#   scripts/environment.sh          what the application needs
#   scripts/environment.sh dev      and what its tests need
set -eu
cd "$(dirname "$0")/.."
extra=${1:-}

find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    echo 'wardwatch needs Python 3.11 or later, and finds none on PATH.' >&2
    exit 1
}

# Debian ships Python without what makes environments.
ensure_venv() {
    "$1" -c 'import ensurepip' 2>/dev/null && return
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing $package"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$package" >/dev/null
    else
        echo "This Python cannot make environments. On Debian or Ubuntu, type: sudo apt-get install $package" >&2
        exit 1
    fi
}

python=$(find_python)

# An environment knows its own path and its Python's: when either changes, it is made anew.
made_for="$PWD, $("$python" --version)"
if [ "$(cat .venv/made-for 2>/dev/null)" != "$made_for" ]; then
    ensure_venv "$python"
    "$python" -m venv --clear .venv
    echo "$made_for" >.venv/made-for
fi

wanted=$(cksum <pyproject.toml)
for stamp in ".venv/installed-$extra" .venv/installed-dev; do
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then exit 0; fi
done
echo "Installing wardwatch into .venv (the first time takes a few minutes)"
.venv/bin/python -m pip install -qq --disable-pip-version-check --editable ".${extra:+[$extra]}"
echo "$wanted" >".venv/installed-$extra"
