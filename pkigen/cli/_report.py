"""What a build did or would do: for people within 80 columns, and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pkigen.cli._console import give, give_json, paint, say, wrapped

if TYPE_CHECKING:
    from pkigen.environment import BuildResult, Change, Summary

_COLOURS = {
    "issue": "green",
    "reissue": "yellow",
    "rewrite": "cyan",
    "prune": "red",
    "left": "grey",
    "publish": "green",
}
_DONE = {
    "issue": "issued",
    "reissue": "issued anew",
    "rewrite": "files written anew",
    "keep": "kept",
    "skip": "passed over by --only",
    "left": "left, not in the profile",
    "prune": "removed",
}
_MOST_CHANGES = 20
_ACTION = 9
_WIDEST_NAME = 36


def give_preview(summary: Summary, name: str) -> None:
    """What a build would do: every change, then the counts."""
    _give_changes([change for change in summary.changes if change.action != "skip"])
    _give_crls(summary)
    if summary.up_to_date:
        give(f"{name} is up to date: a build has nothing to do.")
    counts = ", ".join(f"{count:,} {action}" for action, count in _counts(summary).items() if count)
    give(f"{name}: {counts}, {len(summary.crls):,} CRLs to publish")
    _say_notes(summary)


def give_result(result: BuildResult, *, as_json: bool) -> None:
    """What a build did: what it changed in what there was, the closing table, the next step."""
    summary, folder = result.summary, result.folder
    manifest, trust = folder / "manifest.json", folder / "trust.pem"
    if as_json:
        places = {"folder": str(folder), "manifest": str(manifest), "trust": str(trust)}
        give_summary_json(summary, environment=folder.name, **places, seconds=round(result.seconds, 3))
        return
    told = [change for change in summary.changes if change.action not in ("issue", "skip")]
    _give_changes(told[:_MOST_CHANGES])
    if len(told) > _MOST_CHANGES:
        give(f"... and {len(told) - _MOST_CHANGES:,} more; --json lists them all")
    if told:
        give()
    state = "is up to date" if summary.up_to_date else "is built"
    give(paint(f"{folder.name} {state} ({result.seconds:.1f} s)", "bold"))
    rows = [(_DONE[action], count) for action, count in _counts(summary).items() if count]
    rows.append(("CRLs published", len(summary.crls)))
    width = max(len(label) for label, _ in rows)
    for label, count in rows:
        give(f"  {label:<{width}}  {count:>7,}")
    give()
    for label, path in (("files", folder), ("manifest", manifest), ("trust", trust)):
        give(f"  {label:<8}  {path}")
    _say_notes(summary)
    say(f"Next: pkigen serve {shlex.quote(str(folder))}")


def give_summary_json(summary: Summary, **about: Any) -> None:
    """The whole summary for programs; counts have every action, zero or not."""
    changes = [
        {"id": c.id, "action": c.action, "reasons": c.reasons, "new_key": c.new_key} for c in summary.changes
    ]
    crls = [{"authority": crl.authority, "reasons": crl.reasons} for crl in summary.crls]
    give_json(
        {
            **about,
            "up_to_date": summary.up_to_date,
            "counts": _counts(summary),
            "changes": changes,
            "crls": crls,
            "notes": summary.notes,
        }
    )


def _counts(summary: Summary) -> dict[str, int]:
    counts = {str(action): count for action, count in summary.counts.items()}
    return {action: counts.get(action, 0) for action in _DONE}


def _give_changes(changes: Sequence[Change]) -> None:
    width = min(max((len(change.id) for change in changes), default=0), _WIDEST_NAME)
    for change in changes:
        _give_line(change.action, change.id, "; ".join(change.reasons), width)


def _give_crls(summary: Summary) -> None:
    for crl in summary.crls:
        _give_line("publish", f"CRL of {crl.authority}", "; ".join(crl.reasons), 0)


def _give_line(action: str, subject: str, reasons: str, width: int) -> None:
    """One action: aligned, with long reasons going on below themselves."""
    head = f"{action:<{_ACTION}}{subject:<{width}}  "
    indent = len(head) if len(head) <= _ACTION + _WIDEST_NAME + 2 else _ACTION
    text = wrapped(head + reasons, indent)
    give(paint(text[:_ACTION], _COLOURS.get(action, "grey")) + text[_ACTION:])


def _say_notes(summary: Summary) -> None:
    for note in summary.notes:
        say(wrapped(f"Note: {note}", 6))
