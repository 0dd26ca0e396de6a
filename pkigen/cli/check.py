"""``pkigen check``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pkigen.cli._console import (
    colorize,
    print_json,
    print_line,
    print_message,
    printable,
    wrap,
)
from pkigen.cli._options import (
    At,
    Json,
    PassphraseFiles,
    parse_time,
)
from pkigen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkigen.inspection.check import CheckOptions, CheckResult, Verdict
    from pkigen.requirements import Finding, RequirementSet

_DEFAULT = "defender-iot"
_COLOURS = {"pass": "green", "fail": "red", "not applicable": "grey"}
_WORDS = {"pass": "pass", "fail": "FAIL", "not applicable": "n/a"}
_MOST_SHOWN = 50

HELP_ORDER = 100


def check(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Certificates, keys, chains, CRLs; or a built environment."),
    ],
    against: Annotated[
        list[str] | None,
        typer.Option("--against", metavar="SET", help="A requirement set's name, or its .yaml file."),
    ] = None,
    online: Annotated[bool, typer.Option("--online", help="Fetch CRLs from where certificates say.")] = False,
    proxy: Annotated[
        str | None, typer.Option("--proxy", metavar="URL", help="The HTTP proxy for that.")
    ] = None,
    no_validation: Annotated[
        bool, typer.Option("--no-validation", help="As an appliance whose validation is off.")
    ] = False,
    trust: Annotated[
        list[Path] | None, typer.Option("--trust", metavar="FILE", help="Trust anchors.")
    ] = None,
    passphrase_file: PassphraseFiles = None,
    at: At = None,
    form: Annotated[
        Literal["text", "json", "sarif", "junit"], typer.Option("--format", help="How to print the result.")
    ] = "text",
    all_: Annotated[bool, typer.Option("--all", help="Show demands that hold, for many as well.")] = False,
    json: Json = False,
) -> None:
    """Check certificates against what an appliance demands.

    Certificate, key and chain are told apart by what is in them. No network is asked without
    --online. The exit code is 1 if a demand is broken (advice apart); of a negative case, if it does
    not break exactly what it was made to break.

    \b
    Examples:
      pkigen check sensor.crt sensor.key chain.pem
      pkigen check sensor.pfx --passphrase-file pass.txt --against web-server
      pkigen check out/defender-iot --format junit > report.xml
    """
    from pkigen.inspection.artifacts import read_passphrase
    from pkigen.inspection.check import CheckOptions

    options = CheckOptions(
        now=parse_time(at) or datetime.now(UTC),
        passphrases=tuple(map(read_passphrase, passphrase_file or ())),
        online=online,
        proxy=proxy,
        validation=not no_validation,
        trust=tuple(trust or ()),
    )
    checked, sets = _checked(files, against, options)
    _give(checked, sets, "json" if json else form, all_=all_)
    if not all(one.as_expected for one in checked):
        raise typer.Exit(1)


def _checked(
    files: list[Path], against: list[str] | None, options: CheckOptions
) -> tuple[list[CheckResult], tuple[RequirementSet, ...]]:
    from pkigen.inspection.check import check_files

    folders = [path for path in files if path.is_dir()]
    if folders and len(files) > 1:
        raise InputError("give one environment, or files; not both")
    if folders:
        return _checked_environment(folders[0], against, options)
    if against is None:
        print_message(f"Against {_DEFAULT}; --against names another set.")
    sets = _sets(against or [_DEFAULT])
    return list(check_files(files, sets, options)), sets


def _checked_environment(
    folder: Path, against: list[str] | None, options: CheckOptions
) -> tuple[list[CheckResult], tuple[RequirementSet, ...]]:
    """Against the sets that are asked for, else those that the profile and its cases name."""
    from pkigen.inspection.check import check_environment, sets_of

    named = {} if against else sets_of(folder)
    if named:
        sets = tuple({one.name: one for one in named.values()}.values())
        return list(check_environment(folder, None, options)), sets
    if against is None:
        print_message(f"The profile names no requirement set: against {_DEFAULT}; --against names another.")
    sets = _sets(against or [_DEFAULT])
    return list(check_environment(folder, sets, options)), sets


def _sets(names: Sequence[str]) -> tuple[RequirementSet, ...]:
    from pkigen.requirements import load_set

    return tuple(load_set(name) for name in dict.fromkeys(names))


def _give(checked: list[CheckResult], sets: tuple[RequirementSet, ...], form: str, *, all_: bool) -> None:
    from pkigen import __version__
    from pkigen.inspection.check import reports

    if form == "json":
        print_json(reports.as_json(checked))
    elif form == "sarif":
        print_json(reports.sarif(checked, sets, __version__))
    elif form == "junit":
        print_line(reports.junit(checked))
    elif len(checked) == 1:
        _give_one(checked[0], everything=True)
    else:
        _give_many(checked, all_=all_)


def _give_many(checked: list[CheckResult], *, all_: bool) -> None:
    """Those that are not as they should be, then the counts."""
    told = checked if all_ else [one for one in checked if not one.as_expected]
    for one in told[:_MOST_SHOWN]:
        _give_one(one, everything=all_)
        print_line()
    if len(told) > _MOST_SHOWN:
        print_line(f"... and {len(told) - _MOST_SHOWN:,} more; --json lists them all")
    cases = [one for one in checked if one.expected is not None]
    sound = [one for one in checked if one.expected is None]
    good = sum(one.as_expected for one in sound)
    print_line(f"{good:,} of {len(sound):,} certificates satisfy what is demanded")
    if cases:
        exact = sum(one.as_expected for one in cases)
        print_line(f"{exact:,} of {len(cases):,} negative cases break exactly what they were made to break")


def _give_one(one: CheckResult, *, everything: bool) -> None:
    print_line(colorize(printable(one.name), "bold"))
    for artefact in one.unread:
        print_line(wrap(f"  {artefact.source}: {artefact.problem}", 4))
    names = dict.fromkeys(found.set.name for found in one.findings)
    for name in names:
        found = [finding for finding in one.findings if finding.set.name == name]
        shown = found if everything else [finding for finding in found if finding.failed]
        width = max((len(finding.requirement.id) for finding in shown), default=0)
        for finding in shown:
            _give_finding(finding, width)
        _give_surprises(one, name)
    for verdict in one.verdicts:
        _give_verdict(verdict)


def _give_finding(finding: Finding, width: int) -> None:
    status, requirement, outcome = finding.outcome.status, finding.requirement, finding.outcome
    head = f"  {_WORDS[status]:<4}  {requirement.id:<{width}}  "
    if status == "fail":
        words = f"{requirement.says} Found {outcome.reason or outcome.found}"
        words += f"; wanted {outcome.wanted}." if outcome.wanted else "."
        words += f" [{requirement.level}; {requirement.section}]"
    else:
        words = outcome.reason or outcome.found
    text = wrap(head + words, min(len(head), 34))
    print_line(colorize(text[:6], _COLOURS[status]) + text[6:])


def _give_surprises(one: CheckResult, name: str) -> None:
    if one.expected is None or name not in one.expected:
        return
    missing, surplus = one.surprises(name)
    for what, ids in (("should break", missing), ("should not break", surplus)):
        if ids:
            print_line(wrap(f"  This case {what} {', '.join(sorted(ids))}.", 4))


def _give_verdict(verdict: Verdict) -> None:
    words = "accepted" if verdict.accepted else "refused"
    colour = "green" if verdict.accepted else "red"
    note = f", {verdict.unsupported} unsupported" if verdict.unsupported else ""
    if verdict.accepted and verdict.undecided:
        note += f", if {' and '.join(verdict.undecided)} hold{'s' * (len(verdict.undecided) == 1)}"
    print_line(
        wrap(f"  {verdict.set.name}: {words} at upload{note}", 4).replace(words, colorize(words, colour), 1)
    )
    for message in verdict.messages:
        print_line(wrap(f"    {message}", 4))
