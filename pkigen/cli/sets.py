"""``pkigen sets``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pkigen.cli._completion import complete_set
from pkigen.cli._console import colorize, print_json, print_line, print_message, printable, wrap
from pkigen.cli._options import EvaluationTime, Json, PassphraseFiles, parse_time
from pkigen.cli._report import quantity
from pkigen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkigen.inspection.check.match import FileMatches, Match
    from pkigen.requirements import Requirement, RequirementSet
    from pkigen.requirements.library import Difference

HELP_ORDER = 145
_NEAREST, _MOST_MISSING = 3, 5
_COLORS = {"rejected": "red", "unsupported": "yellow", "advice": "grey"}


def sets(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SET | diff SET SET | match FILE...]",
            help="A set to show; two sets to compare; files to find the sets that they satisfy.",
            show_default=False,
            autocompletion=complete_set,
        ),
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="WORD", help="List only sets that mention WORD.")
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="Show the set as an HTML page.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Show the set as a Markdown table.")] = False,
    yaml: Annotated[
        bool, typer.Option("--yaml", help="Print the file of a shipped set, as a start for your own.")
    ] = False,
    passphrase_file: PassphraseFiles = None,
    at: EvaluationTime = None,
    json: Json = False,
) -> None:
    """List, show, compare and find requirement sets.

    A requirement set lists what an appliance or a protocol requires of certificates. SET is a name, or a
    .yaml file; SET:ROLE selects the requirements of one role. `match` lists the sets that the files
    satisfy, and what is missing for the nearest others; its exit code is 0.

    \b
    Examples:
      pkigen sets --search radius
      pkigen sets defender-iot
      pkigen sets defender-iot --html > defender-iot.html
      pkigen sets web-server --yaml > my-appliance.yaml
      pkigen sets diff defender-iot defender-iot-current
      pkigen sets match sensor.crt sensor.key chain.pem
    """
    from pkigen.requirements.library import selected

    action, *rest = words or [""]
    if action == "match":
        _print_matches(rest, passphrase_file or [], at, as_json=json)
    elif action == "diff":
        if len(rest) != 2:
            raise InputError("`pkigen sets diff` compares two sets: pkigen sets diff SET SET")
        _print_differences(rest[0], rest[1], as_json=json)
    elif action:
        if rest:
            raise InputError(f"'{rest[0]}' is one argument too many; `pkigen sets SET` shows one set")
        if yaml:
            print_line(_source(action).removesuffix("\n"))
            return
        _print_set(selected(action), html=html, markdown=markdown, as_json=json)
    else:
        _print_list(search, as_json=json)


def _source(name: str) -> str:
    """Return the text of the file of a shipped set; InputError for another one."""
    from pkigen.documents.fields import unknown
    from pkigen.documents.shipped import requirement_set_folder, requirement_sets

    if name not in requirement_sets():
        raise InputError(
            f"{unknown('requirement set', name, requirement_sets())}; --yaml prints a shipped set"
        )
    return (requirement_set_folder() / f"{name}.yaml").read_text(encoding="utf-8")


def _print_list(search: str | None, *, as_json: bool) -> None:
    from pkigen.requirements.library import contains, every_set

    listed = [one for one in every_set() if search is None or contains(one, search)]
    if as_json:
        print_json([_head_json(one) for one in listed])
        return
    if not listed:
        print_message(f"No shipped set mentions '{search}'; `pkigen sets` lists all.")
    width = max((len(one.name) for one in listed), default=0)
    for one in listed:
        head = f"{one.name:<{width}}  "
        print_line(wrap(f"{head}{_title(one)}", len(head)))


def _title(one: RequirementSet) -> str:
    details = (
        f"version {one.version}" if one.version else "",
        quantity(len(one.requirements), "requirement"),
        f"roles: {', '.join(one.roles)}" if one.roles else "",
    )
    return f"{one.title} ({'; '.join(filter(None, details))})"


def _print_set(one: RequirementSet, *, html: bool, markdown: bool, as_json: bool) -> None:
    if as_json:
        print_json(_set_json(one))
    elif html or markdown:
        from pkigen.report.set_page import as_html, as_markdown

        print_line((as_html if html else as_markdown)(one).removesuffix("\n"))
    else:
        _print_table(one)


def _print_table(one: RequirementSet) -> None:
    print_line(colorize(f"{one.name}: {printable(one.title)}", "bold"))
    parts = [one.source.title, one.source.date, one.source.url]
    print_line(wrap(f"  source      {', '.join(filter(None, parts))}", 14))
    print_line(f"  confidence  {one.confidence}")
    for name, role in one.roles.items():
        print_line(wrap(f"  role        {name}: {role.says}", 14))
    for name in one.known_switches:
        print_line(f"  switch      {name}: {'on' if one.is_on(name) else 'off'}")
    for requirement in one.requirements:
        _print_requirement(one, requirement)
    for words in one.not_covered:
        print_line(wrap(f"  not checked: {words}", 4))


def _print_requirement(one: RequirementSet, requirement: Requirement) -> None:
    print_line(f"  {requirement.id}  {colorize(requirement.level, _COLORS[requirement.level])}")
    print_line(wrap(f"      {requirement.says}", 6))
    if note := "; ".join(one.notes_on(requirement)):
        print_line(wrap(f"      {note}", 6))


def _head_json(one: RequirementSet) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "version": one.version,
        "source": one.source.model_dump(),
        "confidence": one.confidence,
        "roles": {name: role.says for name, role in one.roles.items()},
        "switches": {name: one.is_on(name) for name in one.known_switches},
        "requirements": len(one.requirements),
    }


def _set_json(one: RequirementSet) -> dict[str, Any]:
    requirements = [
        {
            "id": requirement.id,
            "level": requirement.level,
            "says": requirement.says,
            "kinds": requirement.kinds,
            "of": requirement.of,
            "for": requirement.for_,
            "when": requirement.when,
            "unless": requirement.unless,
            "from": None if requirement.from_ is None else str(requirement.from_),
            "until": None if requirement.until is None else str(requirement.until),
            "section": requirement.section,
            "source": requirement.source,
            "confidence": one.confidence_of(requirement),
            "message": one.messages[requirement.message] if requirement.message else None,
        }
        for requirement in one.requirements
    ]
    return {**_head_json(one), "not_covered": one.not_covered, "requirements": requirements}


def _print_differences(first: str, second: str, *, as_json: bool) -> None:
    from pkigen.requirements.library import differences, selected

    pair = selected(first), selected(second)
    every = list(differences(*pair))
    if as_json:
        print_json([_difference_json(one) for one in every])
        return
    for one in every:
        _print_difference(one, (pair[0].name, pair[1].name))
    if not every:
        print_line("The sets have the same requirements.")


def _print_difference(one: Difference, names: tuple[str, str]) -> None:
    pairs = zip(names, (one.first, one.second), strict=True)
    sides = [(name, side) for name, side in pairs if side is not None]
    if len(sides) == 1:
        (name, side) = sides[0]
        print_line(f"{one.id}  {colorize(f'only in {name}', 'yellow')}")
        print_line(wrap(f"    {side.says} [{side.level}]", 4))
        return
    print_line(f"{one.id}  differs in {', '.join(one.changed)}")
    width = max(map(len, names))
    for name, side in sides:
        head = f"    {name:<{width}}  "
        print_line(wrap(f"{head}{side.says} [{side.level}]", len(head)))


def _difference_json(one: Difference) -> dict[str, Any]:
    def side_json(side: Requirement | None) -> dict[str, Any] | None:
        return None if side is None else {"level": side.level, "says": side.says}

    first, second = side_json(one.first), side_json(one.second)
    return {"id": one.id, "changed": one.changed, "first": first, "second": second}


def _print_matches(
    files: Sequence[str], passphrase_files: Sequence[Path], at: str | None, *, as_json: bool
) -> None:
    from pkigen.inspection.artifacts import read_passphrase
    from pkigen.inspection.check import CheckOptions, files_in
    from pkigen.inspection.check.match import match_files, sets_beside
    from pkigen.requirements.library import by_role, every_set

    if not files:
        raise InputError("`pkigen sets match` needs files: certificates, keys, chains")
    given = list(map(Path, files))
    paths = [path for one in given for path in (files_in(one) if one.is_dir() else (one,))]
    passphrases = tuple(map(read_passphrase, passphrase_files))
    options = CheckOptions(now=parse_time(at) or datetime.now(UTC), passphrases=passphrases)
    shipped, own = {one.name: one for one in every_set()}, sets_beside([*given, Path()])
    declared = [*shipped.values(), *(one for one in own.values() if one.name not in shipped)]
    every = [one for declared_set in declared for one in by_role(declared_set)]
    matches = list(match_files(paths, every, options))
    if as_json:
        print_json([_matches_json(one) for one in matches])
        return
    for one in matches:
        _print_matches_of(one)


def _print_matches_of(one: FileMatches) -> None:
    print_line(colorize(printable(one.name), "bold"))
    for artifact in one.result.unread:
        print_line(wrap(f"  {artifact.source}: {artifact.advised_problem}", 4))
    listed = (*one.satisfied, *one.missed[:_NEAREST])
    width = max((len(match.set.name) for match in listed), default=0)
    for match in one.satisfied:
        head = f"  {match.set.name:<{width}}  "
        print_line(wrap(f"{head}satisfied: {quantity(match.passed, 'requirement')}", len(head)))
    if one.trivial:
        names = ", ".join(match.set.name for match in one.trivial)
        few = "Hardly any requirement of these sets applies, and none is violated"
        print_line(wrap(f"  {few}: {names}", 4))
    for match in one.missed[:_NEAREST]:
        print_line(f"  {match.set.name:<{width}}  missing {len(match.missing)}:")
        for finding in match.missing[:_MOST_MISSING]:
            print_line(wrap(f"      {finding.requirement.says} ({finding.requirement.id})", 8))
        if (further := len(match.missing) - _MOST_MISSING) > 0:
            print_line(f"      and {further} more: pkigen check --against {match.set.name} FILE...")


def _matches_json(one: FileMatches) -> dict[str, Any]:
    def match_json(match: Match) -> dict[str, Any]:
        missing = [finding.requirement.id for finding in match.missing]
        return {"set": match.set.name, "satisfied": not missing, "passed": match.passed, "missing": missing}

    unread = [{"file": str(artifact.source), "problem": artifact.problem} for artifact in one.result.unread]
    return {"name": one.name, "unread": unread, "sets": list(map(match_json, one.matches))}
