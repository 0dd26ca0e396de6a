#!/usr/bin/env bash
# setup_venv.sh PYTHON DIRECTORY [dev|lowest]: creates a virtual environment with pkigen (editable) and the packages
# that it needs at run time. With "dev" it has all development packages in the versions of requirements-dev.txt, whose
# hashes pip verifies. With "lowest" it has the lowest versions that pyproject.toml allows, and what tests need.
set -euo pipefail
cd "$(dirname "$0")/.."
requested=$1 venv=$2 kind=${3:-run-time}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=
for candidate in "$requested" python3 python3.14 python3.13 python3.12 python3.11; do
    if new_enough "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "pkigen needs Python 3.11 or later, and none was found. Set the interpreter: make PYTHON=/path/to/python3" >&2
    exit 1
fi

# Debian ships Python without the module that installs pip into a virtual environment.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    scripts/install_tools.sh python3-venv
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$python cannot create virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2
        exit 1
    fi
fi

echo "Setting up $venv with $("$python" --version): pkigen and its $kind packages ..."
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }

case $kind in
    # For the demo, Python compiles the few modules that it imports; compiling all of them takes six seconds.
    run-time) install --no-compile -e . ;;
    dev)
        if install --require-hashes -r requirements-dev.txt; then
            # The lock contains what builds pkigen: pip downloads nothing else.
            install --no-deps --no-build-isolation -e .
        else
            echo "The locked versions cannot be installed here; installing the newest ones. To update the lock: make lock" >&2
            install -e ".[dev]"
        fi
        ;;
    lowest)
        "$venv/bin/python" scripts/lowest_versions.py pyproject.toml >"$venv/lowest.txt"
        install -c "$venv/lowest.txt" -e . hypothesis jsonschema pytest
        ;;
esac
