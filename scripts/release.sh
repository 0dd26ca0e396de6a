#!/usr/bin/env bash
# release.sh PYTHON [DIRECTORY]: builds the wheel and the sdist of the committed tree in DIRECTORY (dist), everything of
# a release but the tests and the upload. Refuses uncommitted changes, a version without a dated section in
# CHANGELOG.md, and builds that differ: each distribution is built twice, in different directories, and the wheel
# once more from the sdist. Writes checksums and the release notes beside them.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1 dist=${2:-dist}

fail() { echo "No release: $1" >&2; exit 1; }
[ -z "$(git status --porcelain)" ] || fail "commit or remove these changes first:
$(git status --short)"
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' pkigen/__init__.py)
notes=$(awk -v heading="## [$version] - " \
    'index($0, heading) == 1 {within = 1; next} /^## / {within = 0} within' CHANGELOG.md)
[ -n "$notes" ] || fail "CHANGELOG.md has no section '## [$version] - YYYY-MM-DD'."
grep -qE "^## \[$version\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md || fail "the date of $version in CHANGELOG.md is invalid."
[ -z "$(git tag --list "v$version")" ] || [ "$(git rev-parse "v$version^{commit}")" = "$(git rev-parse HEAD)" ] ||
    fail "the tag v$version is another commit. Increase __version__ in pkigen/__init__.py."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
build() { # SOURCE TARGET [-t KIND]
    (cd "$1" && "$python" -m hatchling build -d "$2" "${@:3}" >/dev/null)
}
for name in first second/elsewhere; do
    mkdir -p "$scratch/$name"
    git archive HEAD | tar -x -C "$scratch/$name"
    build "$scratch/$name" "$scratch/dist-${name%%/*}"
done
diff -r "$scratch/dist-first" "$scratch/dist-second" >/dev/null || fail "two builds of the same commit differ."
tar -x -C "$scratch" -f "$scratch/dist-first/pkigen-$version.tar.gz"
build "$scratch/pkigen-$version" "$scratch/dist-sdist" -t wheel
cmp -s "$scratch/dist-sdist/"*.whl "$scratch/dist-first/"*.whl || fail "the wheel that is built from the sdist differs."

rm -rf "$dist"
mkdir -p "$dist"
cp "$scratch/dist-first/"* "$dist"
(cd "$dist" && sha256sum -- *.whl *.tar.gz >SHA256SUMS)
printf '%s\n' "$notes" >"$dist/RELEASE_NOTES.md"
cat "$dist/SHA256SUMS"
echo "pkigen $version of $(git rev-parse --short HEAD) is in $dist; two builds are identical. Left to do, by hand:"
echo "  git tag v$version && git push origin v$version"
echo "  python -m twine upload $dist/*.whl $dist/*.tar.gz"
