"""Checks of files before a commit: ``python -m pkigen.commit_hooks CHECK FILE...`` (.pre-commit-hooks.yaml).

Prints one line for each problem; the exit code is 1 if there is one, 2 if a file cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pkigen.cli import main as pkigen
from pkigen.clock import parse_span, shift
from pkigen.errors import InputError
from pkigen.inspection.artifacts import Artifact, Kind, read_path

_KEY_STORES = (Kind.PKCS12, Kind.JKS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check that the command line names, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pkigen.commit_hooks")
    checks = parser.add_subparsers(dest="check", required=True, metavar="CHECK")
    validate = checks.add_parser("validate", help="profiles are valid")
    expiry = checks.add_parser("expiry", help="certificates do not expire soon")
    expiry.add_argument(
        "--within", metavar="SPAN", default="30d", type=_period, help="period from now (default: 30d)"
    )
    keys = checks.add_parser("private-keys", help="files contain no private key")
    for check in (validate, expiry, keys):
        check.add_argument("files", metavar="FILE", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    if options.check == "validate":
        return max((pkigen(["validate", str(path)]) for path in options.files), default=0)
    try:
        problems = list(
            _expiring(options.files, options.within) if options.check == "expiry" else _keys(options.files)
        )
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


def _period(text: str) -> timedelta:
    now = datetime.now(UTC)
    try:
        return shift(now, parse_span(text)) - now
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _expiring(files: Sequence[Path], within: timedelta) -> Iterator[str]:
    now = datetime.now(UTC)
    for artifact in _artifacts(files):
        if artifact.certificate is None:
            continue
        try:
            end = artifact.certificate.not_after
        except ValueError:
            yield f"{artifact.source}: the end of the certificate's validity period cannot be read"
            continue
        if end < now + within:
            verb = "expired" if end < now else "expires"
            yield f"{artifact.source}: the certificate {verb} on {end:%Y-%m-%d}"


def _keys(files: Sequence[Path]) -> Iterator[str]:
    for artifact in _artifacts(files):
        if artifact.key is not None:
            yield f"{artifact.source}: contains a private key; remove it, or exclude the file"
        elif artifact.kind in _KEY_STORES and artifact.problem:
            yield f"{artifact.source}: is encrypted ({artifact.kind}) and may contain a private key"


def _artifacts(files: Sequence[Path]) -> Iterator[Artifact]:
    for path in files:
        yield from read_path(path)


if __name__ == "__main__":
    sys.exit(main())
