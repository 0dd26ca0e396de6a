"""``pkigen check``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pkigen.cli._completion import complete_set
from pkigen.cli._console import (
    colorize,
    print_json,
    print_line,
    print_message,
    printable,
    wrap,
)
from pkigen.cli._environments import find_environment
from pkigen.cli._garbage import collect_garbage_rarely
from pkigen.cli._options import (
    EvaluationTime,
    Json,
    PassphraseFiles,
    parse_time,
)
from pkigen.cli._progress import elapsed_time
from pkigen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkigen.inspection.check import CheckOptions, CheckResult, Verdict
    from pkigen.requirements import Finding, RequirementSet

_DEFAULT = "defender-iot"
_COLORS = {"FAIL": "red", "WARN": "yellow", "pass": "green", "n/a": "grey"}
"""The labels of findings in the order in which they are listed; WARN is a violated recommendation."""
_MOST_LISTED, _MOST_NAMES = 50, 5

HELP_ORDER = 100


def check(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Certificates, keys, chains, CRLs, directories of such files; or a built environment.",
            callback=lambda paths: [find_environment(path) for path in paths],
        ),
    ],
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="SET",
            help="Name of a requirement set, or its .yaml file; may be repeated.",
            autocompletion=complete_set,
        ),
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Download CRLs from the distribution points in the certificates.")
    ] = False,
    proxy: Annotated[
        str | None, typer.Option("--proxy", metavar="URL", help="HTTP proxy for --online.")
    ] = None,
    no_validation: Annotated[
        bool,
        typer.Option(
            "--no-validation",
            help="Skip what an appliance checks only with certificate validation: --switch validation=off.",
        ),
    ] = False,
    switch: Annotated[
        list[str] | None,
        typer.Option("--switch", metavar="NAME=on|off", help="A setting of the appliance; may be repeated."),
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option("--trust", metavar="FILE", help="File with trust anchors; may be repeated."),
    ] = None,
    passphrase_file: PassphraseFiles = None,
    at: EvaluationTime = None,
    form: Annotated[
        Literal["text", "json", "sarif", "junit"], typer.Option("--format", help="Output format.")
    ] = "text",
    all_: Annotated[
        bool, typer.Option("--all", help="Also list passed requirements when checking many certificates.")
    ] = False,
    json: Json = False,
) -> None:
    """Check certificates against the requirements of an appliance.

    The content of a file determines what it is; a CA certificate, a CRL and a key are checked against
    the requirements that apply to them. Without --online, nothing is downloaded. The exit code is 1 if
    a requirement is violated (advice excepted) or an input cannot be used; for a negative case, if it
    does not violate exactly the intended requirements.

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
        switches=_switches(switch or (), validation=not no_validation),
        trust=tuple(trust or ()),
    )
    collect_garbage_rarely()
    checked, sets = _checked(files, against, options)
    _print(checked, sets, "json" if json else form, all_=all_)
    if against is None and not any((path / "manifest.json").is_file() for path in files):
        print_message("`pkigen sets match FILE...` lists the sets that these files satisfy.")
    if not all(one.as_expected for one in checked):
        raise typer.Exit(1)


def _checked(
    files: list[Path], against: list[str] | None, options: CheckOptions
) -> tuple[list[CheckResult], tuple[RequirementSet, ...]]:
    from pkigen.inspection.check import check_files, files_in

    environments = [path for path in files if (path / "manifest.json").is_file()]
    if environments and len(files) > 1:
        raise InputError("specify one environment, or files and directories of files; not both")
    if environments:
        return _checked_environment(environments[0], against, options)
    if against is None:
        print_message(f"Against {_DEFAULT}; --against names another set.")
    sets = _sets(against or [_DEFAULT])
    paths = [path for given in files for path in (files_in(given) if given.is_dir() else (given,))]
    with elapsed_time("checking"):
        return list(check_files(paths, sets, options)), sets


def _checked_environment(
    folder: Path, against: list[str] | None, options: CheckOptions
) -> tuple[list[CheckResult], tuple[RequirementSet, ...]]:
    """Check against the given sets, or else against those that the profile and its cases name."""
    from pkigen.inspection.check import check_environment, sets_of

    named = {} if against else sets_of(folder)
    if named:
        sets = tuple({one.name: one for one in named.values()}.values())
        with elapsed_time("checking"):
            return list(check_environment(folder, None, options)), sets
    if against is None:
        print_message(f"The profile names no requirement set: against {_DEFAULT}; --against names another.")
    sets = _sets(against or [_DEFAULT])
    with elapsed_time("checking"):
        return list(check_environment(folder, sets, options)), sets


def _switches(texts: Sequence[str], *, validation: bool) -> dict[str, bool]:
    from pkigen.documents.set_reference import parse_switch

    try:
        switches = dict(map(parse_switch, texts))
    except ValueError as error:
        raise InputError(f"--switch: {error}") from error
    return switches if validation else {**switches, "validation": False}


def _sets(names: Sequence[str]) -> tuple[RequirementSet, ...]:
    from pkigen.requirements import load_set

    return tuple(load_set(name) for name in dict.fromkeys(names))


def _print(checked: list[CheckResult], sets: tuple[RequirementSet, ...], form: str, *, all_: bool) -> None:
    from pkigen import __version__
    from pkigen.inspection.check import reports

    if form == "json":
        print_json(reports.as_json(checked))
    elif form == "sarif":
        print_json(reports.sarif(checked, sets, __version__))
    elif form == "junit":
        print_line(reports.junit(checked))
    elif len(checked) == 1:
        _print_one(checked[0], everything=True)
    else:
        _print_many(checked, all_=all_)


def _print_many(results: list[CheckResult], *, all_: bool) -> None:
    """Print the results that are not as expected, then the counts."""
    if not results:
        print_line(
            "Nothing was checked: the environment has no certificates. A build checks those of fleets."
        )
        return
    listed = results if all_ else [one for one in results if not one.as_expected]
    for one in listed[:_MOST_LISTED]:
        _print_one(one, everything=all_)
        print_line()
    if len(listed) > _MOST_LISTED:
        print_line(f"... and {len(listed) - _MOST_LISTED:,} more; --json lists them all")
    cases = [one for one in results if one.expected is not None]
    others = [one for one in results if one.expected is None]
    revoked = [one for one in others if one.as_expected and any(map(one.excuses, one.broken))]
    satisfied = sum(one.as_expected for one in others) - len(revoked)
    print_line(f"{satisfied:,} of {len(others):,} certificates satisfy the requirements")
    if revoked:
        names = ", ".join(printable(one.name) for one in revoked[:_MOST_NAMES])
        more = f" and {len(revoked) - _MOST_NAMES:,} more" if len(revoked) > _MOST_NAMES else ""
        print_line(wrap(f"{len(revoked):,} revoked, as recorded in the environment: {names}{more}", 2))
    if cases:
        exact = sum(one.as_expected for one in cases)
        print_line(f"{exact:,} of {len(cases):,} negative cases violate exactly the intended requirements")


def _print_one(one: CheckResult, *, everything: bool) -> None:
    print_line(colorize(printable(one.name), "bold"))
    for artifact in one.unread:
        print_line(wrap(f"  {artifact.source}: {artifact.advised_problem}", 4))
    unchecked = one.unread and all(_label(finding) == "n/a" for finding in one.findings)
    names = dict.fromkeys(finding.set.name for finding in one.findings)
    for name in names:
        of_set = [finding for finding in one.findings if finding.set.name == name]
        listed = of_set if everything and not unchecked else [finding for finding in of_set if finding.failed]
        listed.sort(key=lambda finding: tuple(_COLORS).index(_label(finding)))
        width = max((len(finding.requirement.id) for finding in listed), default=0)
        for finding in listed:
            _print_finding(finding, width)
        _print_surprises(one, name)
    for name in one.inapplicable if not unchecked else ():
        print_line(
            wrap(f"  {name}: no requirement applies to this file alone, so that nothing was checked", 4)
        )
    for verdict in one.verdicts:
        _print_verdict(verdict)


def _label(finding: Finding) -> str:
    status = finding.outcome.status
    if status == "fail":
        return "WARN" if finding.requirement.level == "advice" else "FAIL"
    return "pass" if status == "pass" else "n/a"


def _print_finding(finding: Finding, width: int) -> None:
    requirement, outcome, label = finding.requirement, finding.outcome, _label(finding)
    head = f"  {label:<4}  {requirement.id:<{width}}  "
    if finding.failed:
        words = f"{requirement.says} Found {outcome.reason or outcome.actual}"
        words += f"; expected {outcome.expected}." if outcome.expected else "."
        words += f" [{'; '.join(filter(None, (requirement.level, requirement.section)))}]"
    else:
        words = outcome.reason or outcome.actual
    text = wrap(head + words, min(len(head), 34))
    print_line(colorize(text[:6], _COLORS[label]) + text[6:])


def _print_surprises(one: CheckResult, name: str) -> None:
    if one.expected is None or name not in one.expected:
        return
    missing, surplus = one.surprises(name)
    for finding in one.findings:
        if finding.set.name == name and finding.requirement.id in missing:
            actual = finding.outcome.reason or finding.outcome.actual
            reason = f", but: {actual}" if actual else ""
            print_line(wrap(f"  This case should break {finding.requirement.id}{reason}.", 4))
    if surplus:
        ids = ", ".join(sorted(surplus))
        advice = "If it inevitably does, declare that with 'together' in the set, and build again."
        print_line(wrap(f"  This case should not break {ids}. {advice}", 4))


def _print_verdict(verdict: Verdict) -> None:
    words = "accepted" if verdict.accepted else "refused"
    color = "green" if verdict.accepted else "red"
    note = f", {verdict.unsupported} unsupported" if verdict.unsupported else ""
    if verdict.accepted and verdict.undecided:
        note += f", if {' and '.join(verdict.undecided)} hold{'s' * (len(verdict.undecided) == 1)}"
    print_line(
        wrap(f"  {verdict.set.name}: {words} at upload{note}", 4).replace(words, colorize(words, color), 1)
    )
    for message in verdict.messages:
        print_line(wrap(f"    {message}", 4))
