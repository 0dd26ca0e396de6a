"""``pkigen faults``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pkigen.cli._console import give, give_json, paint, wrapped
from pkigen.cli._options import Json
from pkigen.errors import InputError

if TYPE_CHECKING:
    from pkigen.requirements import CatalogueEntry


def faults(
    fault: Annotated[str | None, typer.Argument(metavar="ID", help="One case, in full.")] = None,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", metavar="SET", help="A requirement set's name, or its .yaml file."),
    ] = None,
    json: Json = False,
) -> None:
    """List the negative cases that follow from requirement sets.

    Each breaks one demand of a set; where it cannot help breaking another as well, that is said.
    `negatives: [{of: CERTIFICATE, against: SET}]` in a profile makes them.

    \b
    Examples:
      pkigen faults --against defender-iot
      pkigen faults signature-hash-sha256-sha1
    """
    from pkigen.profile import shipped
    from pkigen.profile.asked import close_to
    from pkigen.requirements import catalogue, load_set

    entries = list(catalogue(map(load_set, against or shipped.requirement_sets())))
    if fault is not None:
        known = tuple(dict.fromkeys(entry.id for entry in entries))
        entries = [entry for entry in entries if entry.id == fault]
        if not entries:
            close = close_to(fault, known)
            hint = f" (did you mean '{close}'?)" if close else ""
            raise InputError(f"no case is called '{fault}'{hint}")
    if json:
        give_json([_as_json(entry) for entry in entries])
    elif fault is None:
        _give_list(entries)
    else:
        for entry in entries:
            _give_one(entry)


def _give_list(entries: list[CatalogueEntry]) -> None:
    width = min(max(len(entry.id) for entry in entries), 40)
    title = ""
    for entry in entries:
        if entry.set.name != title:
            title = entry.set.name
            give(paint(f"{title}: {entry.set.title}", "bold"))
        words = entry.violation.says
        if entry.besides:
            words += f" Breaks {', '.join(entry.besides)} as well."
        head = f"  {entry.id:<{width}}  "
        give(wrapped(head + words, len(head) if len(head) <= width + 4 else 6))


def _give_one(entry: CatalogueEntry) -> None:
    requirement = entry.requirement
    give(paint(f"{entry.set.name}/{entry.id}", "bold"))
    lines = [
        ("fault", entry.violation.says),
        ("demand", f"{requirement.says} ({requirement.id}, {requirement.level})"),
        ("from", f"{entry.set.source.title}, {requirement.section}"),
        ("besides", f"{', '.join(entry.besides)}. {' '.join(entry.because)}" if entry.besides else ""),
        ("upload", "accepted" if entry.accepted else f"refused: {' / '.join(entry.messages)}"),
        ("strict", f"refused ({entry.stage})" if entry.stage else ""),
    ]
    for label, words in lines:
        if words:
            give(wrapped(f"  {label:<8}{words}", 10))


def _as_json(entry: CatalogueEntry) -> dict[str, Any]:
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
