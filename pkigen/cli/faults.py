"""``pkigen faults``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pkigen.cli._completion import complete_fault, complete_set
from pkigen.cli._console import (
    colorize,
    print_json,
    print_line,
    printable,
    wrap,
)
from pkigen.cli._options import Json
from pkigen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkigen.faults import FaultType
    from pkigen.faults.registry import Parameter
    from pkigen.requirements import CatalogueEntry, RequirementSet

_INDENT = 14
_OF_RFC_5280 = re.compile(r"[0-9]|[A-C]\.[0-9]")

HELP_ORDER = 140


def faults(
    fault: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="Fault ID (prints its page) or family (lists its faults).",
            autocompletion=complete_fault,
        ),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="SET",
            help="List the violations of a requirement set instead.",
            autocompletion=complete_set,
        ),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            "--search", metavar="WORD", help="List only faults whose description or CVE numbers contain WORD."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List faults and violations of requirements.

    In a profile, `faults: [ID]` adds a fault to a certificate, `negatives: [{of: CERTIFICATE, faults: all}]`
    creates a copy for each fault, and `negatives: [{of: CERTIFICATE, against: SET}]` creates a copy for each
    requirement of a set. The families acme, est, scep and cmp are faults of the enrollment server
    (`pkigen serve --enrol-port`).

    \b
    Examples:
      pkigen faults --search expire
      pkigen faults validity
      pkigen faults expired
      pkigen faults --against defender-iot
    """
    from pkigen.faults import ENROLMENT_FAULTS, FAULTS
    from pkigen.requirements import catalogue
    from pkigen.requirements.library import every_set, selected

    known = [] if against else [*FAULTS.values(), *ENROLMENT_FAULTS.values()]
    entries = list(catalogue(every_set() if fault and not against else map(selected, against or ())))
    family = [one for one in known if fault is not None and one.family == fault.removesuffix("/*")]
    if fault is not None:
        known, entries = (family, []) if family else _only(fault, known, entries)
    if search is not None:
        word = search.lower()
        known = [one for one in known if word in _searched(one)]
        entries = [one for one in entries if word in f"{one.id} {one.violation.says}".lower()]
    if against and not fault and not search and not json:
        _print_list(known, entries)
        _print_uncovered(map(selected, against))
    elif json:
        print_json([*map(_fault_json, known), *map(_entry_json, entries)])
    elif fault is None or family:
        _print_list(known, entries)
    else:
        for one in known:
            _print_fault(one)
        for entry in entries:
            _print_entry(entry)


def _searched(one: FaultType) -> str:
    """Return the text that --search looks in, in lower case."""
    return " ".join((one.id, one.says, one.shows, one.clause, *one.cves)).lower()


def _only(
    fault: str, known: list[FaultType], entries: list[CatalogueEntry]
) -> tuple[list[FaultType], list[CatalogueEntry]]:
    """Return the faults and cases with an ID or FAMILY/ID; InputError if there is none."""
    from pkigen.documents.fields import close_to

    ids = tuple(dict.fromkeys([*(one.id for one in known), *(entry.id for entry in entries)]))
    fault = {f"{one.family}/{one.id}": one.id for one in known}.get(fault, fault)
    if fault not in ids:
        close = close_to(fault.lower(), ids)
        hint = f" (did you mean '{close}'?)" if close else ""
        raise InputError(f"there is no fault '{fault}'{hint}")
    return [one for one in known if one.id == fault], [entry for entry in entries if entry.id == fault]


def _print_list(known: list[FaultType], entries: list[CatalogueEntry]) -> None:
    rows = [(one.family, f"{'-' if one.is_of_server else one.verdict}  {one.id}", one.says) for one in known]
    for entry in entries:
        besides = f" Also violates {', '.join(entry.besides)}." if entry.besides else ""
        rows.append((f"{entry.set.name}: {entry.set.title}", entry.id, entry.violation.says + besides))
    width = min(max((len(name) for _, name, _ in rows), default=0), 40)
    title = ""
    for family, name, says in rows:
        if family != title:
            title = family
            print_line(colorize(family, "bold"))
        head = f"  {name:<{width}}  "
        print_line(wrap(head + says, len(head) if len(head) <= width + 4 else 6))
    if known:
        from pkigen.faults import VERDICTS

        print_line()
        for verdict, words in VERDICTS.items():
            print_line(f"  {verdict}  {words}")
        print_line("  -  fault of the enrollment server")


def _print_uncovered(sets: Iterable[RequirementSet]) -> None:
    """Print the requirements of sets that have no negative case, and the reason."""
    for one in sets:
        for requirement in one.requirements:
            reason = one.inactive(requirement)
            if reason or not any(True for _ in requirement.violations()):
                words = reason or "pkigen cannot violate it"
                print_line(wrap(f"{one.name}: no case of {requirement.id}: {words}", 4))


def _print_fault(one: FaultType) -> None:
    from pkigen.faults import VERDICTS
    from pkigen.faults.observed import observed

    print_line(colorize(f"{one.family}/{one.id}", "bold"))
    _print_lines(
        ("fault", one.says),
        ("client" if one.is_of_server else "symptom", " ".join(one.shows.split())),
        ("clause", f"RFC 5280, {one.clause}" if _OF_RFC_5280.match(one.clause) else one.clause),
        ("class", "" if one.is_of_server else f"{one.verdict}: {VERDICTS[one.verdict]}"),
        ("stage", one.stage),
        ("CVE", ", ".join(one.cves)),
    )
    if one.is_of_server:
        common = "times (default: always), endpoint, identifier (default: all)"
        _print_lines(
            ("parameters", ", ".join([*map(_parameter, one.parameters), common])),
            ("profile", _profile_syntax(one)),
            ("or", f'PUT /enrolment/faults {{"fault": {{"{one.id}": {{"times": 1}}}}}} (--control-port)'),
        )
        return
    for number, words in enumerate(_changes(one)):
        _print_lines(("" if number else "changes", printable(words)))
    _print_lines(
        ("rejected by", ", ".join(observed(one.id, "refuse"))),
        ("accepted by", ", ".join(observed(one.id, "accept"))),
        ("ignored by", ", ".join(observed(one.id, "blind"))),
        ("pkigen", ", ".join(one.finds) or "reports nothing"),
        ("parameters", ", ".join(map(_parameter, one.parameters))),
        ("profile", _profile_syntax(one)),
        ("or", f"pkigen break ENV NAME --fault {one.id}"),
    )


def _changes(one: FaultType) -> tuple[str, ...]:
    """Return what the fault changes in the appliance certificate of a shipped profile."""
    from datetime import UTC, datetime

    from pkigen.faults import FaultRequest, Impossible
    from pkigen.faults.description import changes
    from pkigen.plan.sample import sample_case

    # A fixed time, so that the bytes of times are the same in each output.
    base = sample_case(datetime(2026, 11, 1, tzinfo=UTC))
    try:
        return changes(base, FaultRequest(one).apply(base))
    except Impossible as error:
        return (f"none on the sample appliance {base.entity.hosts[0]}: {error}",)


def _parameter(parameter: Parameter) -> str:
    choices = f"; one of {', '.join(parameter.choices)}" if parameter.choices else ""
    return f"{parameter.name} (default: {_in_profile_syntax(parameter.default)}{choices})"


def _in_profile_syntax(default: timedelta | int | str) -> str:
    """Return a default in the syntax of a profile."""
    if not isinstance(default, timedelta):
        return str(default)
    seconds = int(default.total_seconds())
    return f"{seconds // 86400}d" if seconds % 86400 == 0 else f"{seconds}s"


def _profile_syntax(one: FaultType) -> str:
    """Return the line of a profile that requests a fault: of a certificate, or of a template."""
    values = [f"{part.name}: {_in_profile_syntax(part.default)}" for part in one.parameters[:1]]
    if one.is_of_server:
        values = ["times: 1", *values]
    fault = f"{{{one.id}: {{{', '.join(values)}}}}}" if values else one.id
    return f"{one.family}: {{faults: [{fault}]}}" if one.is_of_server else f"faults: [{fault}]"


def _print_entry(entry: CatalogueEntry) -> None:
    requirement = entry.requirement
    print_line(colorize(f"{entry.set.name}/{entry.id}", "bold"))
    _print_lines(
        ("fault", entry.violation.says),
        ("demand", f"{requirement.says} ({requirement.id}, {requirement.level})"),
        ("from", ", ".join(filter(None, (entry.set.source.title, requirement.section)))),
        ("also", f"{', '.join(entry.besides)}. {' '.join(entry.because)}" if entry.besides else ""),
        ("upload", "accepted" if entry.accepted else f"rejected: {' / '.join(entry.messages)}"),
        ("strict", f"rejected ({entry.stage})" if entry.stage else ""),
    )


def _print_lines(*lines: tuple[str, str]) -> None:
    for label, words in lines:
        if words:
            print_line(wrap(f"  {label:<{_INDENT - 2}}{words}", _INDENT))


def _fault_json(one: FaultType) -> dict[str, Any]:
    from pkigen.faults.observed import observations

    fields = ("id", "family", "verdict", "stage", "clause", "says", "shows", "finds")
    parameters = {part.name: _in_profile_syntax(part.default) for part in one.parameters}
    return {
        **{field: getattr(one, field) for field in fields},
        "made": [] if one.is_of_server else list(_changes(one)),
        "parameters": parameters,
        "cves": list(one.cves),
        "observed": observations().get(one.id, {}),
        "profile": _profile_syntax(one),
    }


def _entry_json(entry: CatalogueEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "set": entry.set.name,
        "requirement": entry.requirement.id,
        "level": entry.requirement.level,
        "section": entry.requirement.section,
        "says": entry.violation.says,
        "violates": list(entry.violates),
        "because": list(entry.because),
        "accepted": entry.accepted,
        "messages": list(entry.messages),
    }
