#!/usr/bin/env bash
# setup_venv.sh PYTHON DIRECTORY [EXTRA]: creates a virtual environment with pkigen (editable) and the packages it
# needs at run time; EXTRA (such as "dev") adds the packages of that extra.
set -euo pipefail
cd "$(dirname "$0")/.."
requested=$1 venv=$2 extra=${3:+[$3]}

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

echo "Setting up $venv with $("$python" --version): pkigen and its ${3:-run-time} packages ..."
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
# For the demo, Python compiles the few modules that it imports; compiling all of them takes six seconds.
compile=(--no-compile)
[ -z "$extra" ] || compile=(--compile)
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${compile[@]}" -e ".$extra"
