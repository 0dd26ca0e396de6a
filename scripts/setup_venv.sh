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
has_ensurepip() { "$python" -c 'import ensurepip' 2>/dev/null; }

# A user who may not install packages can download the one with pip; apt verifies it.
create_venv_with_downloaded_pip() {
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    local apt=(apt-get -qq -o "Dir::State::Lists=$scratch/lists" -o "Dir::Cache=$scratch/cache")
    mkdir "$scratch/lists" "$scratch/cache"
    (
        cd "$scratch"
        "${apt[@]}" update && "${apt[@]}" download python3-pip-whl && dpkg-deb -x python3-pip-whl_*.deb .
    ) >/dev/null 2>&1 || return
    local wheels=("$scratch"/usr/share/python-wheels/pip-*.whl)
    "$python" -m venv --without-pip "$venv" &&
        "$venv/bin/python" "${wheels[0]}/pip" install --quiet --no-index --disable-pip-version-check "${wheels[0]}"
}

echo "Setting up $venv with $("$python" --version): pkigen and its $kind packages ..."
if [ ! -x "$venv/bin/pip" ]; then
    has_ensurepip || scripts/install_tools.sh python3-venv
    if has_ensurepip; then
        "$python" -m venv "$venv"
    elif ! create_venv_with_downloaded_pip; then
        echo "$python cannot create virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2
        exit 1
    else
        echo "pip is that of the package python3-pip-whl, which was downloaded and not installed." >&2
    fi
fi
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
