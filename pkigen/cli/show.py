"""``pkigen show``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pkigen.cli._completion import complete_set
from pkigen.cli._console import (
    colorize,
    is_terminal,
    print_json,
    print_line,
    print_message,
    wrap,
)
from pkigen.cli._options import Json, PassphraseFiles
from pkigen.cli._progress import elapsed_time
from pkigen.errors import InputError, Problem

if TYPE_CHECKING:
    from datetime import datetime

    from pkigen.inspection.artifacts import Artifact
    from pkigen.inspection.description import Description, Overview

Remarks = Mapping[str, Sequence[str]]
"""Remarks below the fields of a description, by the fields' ids."""

_LABEL = 16
_INDENT = 4
_COLUMNS = 80
_MOST_SENTENCES = 60
_MOST_NAMES = 12

HELP_ORDER = 150


def show(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Files in any format; - for standard input; https://HOST:PORT for a server's certificates.",
        ),
    ],
    passphrase_file: PassphraseFiles = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="SET",
            help="Annotate fields with the findings of a requirement set.",
            autocompletion=complete_set,
        ),
    ] = None,
    fleet: Annotated[
        str | None,
        typer.Option(
            "--fleet", metavar="NAME", help="Fleet whose certificate to show; FILE is the environment."
        ),
    ] = None,
    index: Annotated[
        int | None,
        typer.Option("--index", metavar="NUMBER", min=1, help="Number of the certificate in the fleet."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="With --fleet: also write the certificate's files to DIR."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --out: replace existing files.")] = False,
    json: Json = False,
) -> None:
    """Describe certificates, keys, requests, CRLs and key stores.

    The contents determine the format: PEM, DER, base64, PKCS#12, PKCS#7 or JKS. The last section lists which
    key, certificate and CRL belong together. Private keys are never printed. The exit code is 1 if something
    cannot be read, 2 if a file cannot be opened.

    \b
    Examples:
      pkigen show console.crt console.key chain.pem
      pkigen show console.crt --against defender-iot
      pkigen show https://console.lab.test:8443
      pkigen show out/fleet --fleet meter --index 4711 --out meter-4711
    """
    from datetime import UTC, datetime

    from pkigen.inspection.artifacts import read_passphrase
    from pkigen.inspection.description import describe

    passphrases = [read_passphrase(path) for path in passphrase_file or ()]
    now = datetime.now(UTC)
    with elapsed_time("reading"):
        if fleet is None:
            artifacts, problems = _read(files, passphrases)
        else:
            artifacts, problems = _from_fleet(files, fleet, index, passphrases, out, force=force), []
        remarks = _annotations(artifacts, against, now) if against else []
        overview = describe(artifacts, now, every_entry=json)
    if json:
        padded = [*remarks, *({} for _ in overview.descriptions)]
        pairs = zip(overview.descriptions, padded, strict=False)
        with nullcontext() if is_terminal(sys.stdout) else elapsed_time("writing"):
            print_json([{**one.data, **({"remarks": notes} if notes else {})} for one, notes in pairs])
    else:
        print_overview(overview, [str(artifact.source) for artifact in artifacts], remarks)
    if not overview.complete:
        print_message("Note: too many signatures to verify all of them; some issuers are not listed.")
    if problems:
        raise InputError(problems)
    if not all(description.readable for description in overview.descriptions):
        raise typer.Exit(1)


def print_overview(overview: Overview, names: Sequence[str], remarks: Sequence[Remarks] = ()) -> None:
    """Print every description, then the relations between the artifacts.

    ``names`` are the names of the artifacts; ``remarks`` are in the order of the descriptions.
    """
    for index, description in enumerate(overview.descriptions):
        if index:
            print_line()
        print_description(description, remarks[index] if index < len(remarks) else {})
    sentences = list(_sentences(overview, names))
    if sentences:
        print_line()
        print_line(colorize("How they belong together", "bold"))
    for sentence in sentences[:_MOST_SENTENCES]:
        print_line(_hanging("  ", sentence, _INDENT))
    if len(sentences) > _MOST_SENTENCES:
        print_line(f"  ... and {len(sentences) - _MOST_SENTENCES:,} more; --json lists them all")


def print_description(description: Description, remarks: Remarks | None = None) -> None:
    """Print the title and the fields; remarks follow their fields as ``! ...``, the others are at the end."""
    left = dict(remarks or {})
    print_line(colorize(wrap(description.title, _INDENT), "bold"))
    for field in description.fields:
        _print_field(field.label, field.values, alarm=field.alarm)
        _print_remarks(left.pop(field.id, ()))
    for sentences in left.values():
        _print_remarks(sentences)


def _print_field(label: str, values: Sequence[str], *, alarm: bool) -> None:
    """Print label and values in two columns, or below each other if a label or a word is too long."""
    longest = max(len(word) for value in values for word in (value.split() or [""]))
    beside = len(label) <= _LABEL - 3 and longest <= _COLUMNS - _LABEL
    if not beside:
        print_line(_hanging("  ", label, _INDENT))
    for number, value in enumerate(values):
        start = f"  {label}".ljust(_LABEL) if beside and not number else " " * (_LABEL if beside else _INDENT)
        text = _hanging(start, value, _LABEL if beside else _INDENT + 2)
        print_line(start + colorize(text[len(start) :], "red") if alarm else text)


def _print_remarks(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        print_line(colorize(_hanging(" " * _INDENT + "! ", sentence, _INDENT + 2), "yellow"))


def _hanging(start: str, text: str, indent: int) -> str:
    """Return ``start`` and the wrapped ``text``; the spaces in ``start`` are kept."""
    return start + wrap("x" * len(start) + text, indent)[len(start) :]


def _sentences(overview: Overview, names: Sequence[str]) -> list[str]:
    """Return a sentence for each artifact and kind of relation."""
    from pkigen.inspection.description import RelationKind

    keys, issued, same = (dict[int, list[str]]() for _ in range(3))
    others = []
    for relation in overview.relations:
        subject, object_ = names[relation.subject], names[relation.object]
        if relation.kind is RelationKind.KEY_OF:
            keys.setdefault(relation.subject, []).append(object_)
        elif relation.kind is RelationKind.ISSUED_BY:
            issued.setdefault(relation.object, []).append(subject)
        elif relation.kind is RelationKind.SAME_AS:
            same.setdefault(relation.object, []).append(subject)
        elif relation.kind is RelationKind.REVOKED_BY:
            others.append(f"{subject} is revoked by {object_} ({relation.detail})")
        else:
            others.append(f"{subject} names {object_} as its issuer, but that key did not sign it")
    return [
        *(f"{names[index]} is the key of {_listed(related)}" for index, related in keys.items()),
        *(f"{names[index]} issued {_listed(related)}" for index, related in issued.items()),
        *(f"{names[index]} is also {_listed(related)}" for index, related in same.items()),
        *others,
    ]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _annotations(artifacts: Sequence[Artifact], against: list[str], now: datetime) -> list[Remarks]:
    from pkigen.inspection.check import annotate
    from pkigen.requirements import load_set

    return list(annotate(artifacts, [load_set(name) for name in against], now))


def _from_fleet(
    files: Sequence[Path],
    fleet: str,
    index: int | None,
    passphrases: Sequence[bytes],
    out: Path | None,
    *,
    force: bool,
) -> list[Artifact]:
    """Return the files of one certificate of a fleet; with ``out`` also write them to a directory."""
    from pkigen.environment.fleets.read import extract
    from pkigen.inspection.artifacts import read
    from pkigen.inspection.conversion.write import check, write

    if index is None:
        raise typer.BadParameter("specify the number of the certificate", param_hint="'--index'")
    if len(files) != 1:
        raise typer.BadParameter("specify one environment", param_hint="'FILE...'")
    members = extract(files[0], fleet, index).files()
    if out is not None:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        paths = [out / file.path for file in members]
        check(paths, (), force=force)
        write(members, paths)
        for path in paths:
            print_message(f"Written: {path}")
    return [one for file in members for one in read(file.data, file.path, passphrases)]


def _read(files: Sequence[Path], passphrases: Sequence[bytes]) -> tuple[list[Artifact], list[Problem]]:
    """Return the contents of the files, and the problems of those that cannot be opened."""
    from pkigen.inspection.path.server import read_input

    artifacts: list[Artifact] = []
    problems: list[Problem] = []
    for path in files:
        try:
            artifacts += read_input(path, passphrases)
        except InputError as error:
            problems += error.problems
    return artifacts, problems
