#!/usr/bin/env bash
# lock.sh PYTHON: writes requirements-dev.txt: the newest version of every development package that pyproject.toml
# allows, for all supported Python versions and platforms, with the hashes of its files. The names of package indexes
# are not written: pip asks the index that the machine is configured for.
set -euo pipefail
cd "$(dirname "$0")/.."

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
"$1" -m venv "$directory/venv"
"$directory/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
"$directory/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --upgrade \
    --no-emit-index-url --no-emit-find-links --no-emit-package pkigen --no-annotate \
    --custom-compile-command "make lock" --output-file "$directory/lock.txt" pyproject.toml
cp "$directory/lock.txt" requirements-dev.txt
grep -c == requirements-dev.txt | sed 's/$/ packages in requirements-dev.txt/'
