"""What a build did or would do: for people within 80 columns, and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pkigen.cli._console import (
    colorize,
    print_json,
    print_line,
    print_message,
    wrap,
)

if TYPE_CHECKING:
    from pkigen.environment.build.options import BuildResult, Change, Summary

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
_TO_DO = {
    "issue": "to issue",
    "reissue": "to issue anew",
    "rewrite": "to write anew",
    "keep": "to keep",
    "skip": "passed over by --only",
    "left": "left, not in the profile",
    "prune": "to remove",
}
_MOST_CHANGES = 20
_ACTION = 9
_WIDEST_NAME = 36


def print_preview(summary: Summary, name: str) -> None:
    """What a build would do: every change, then the counts."""
    changes = [change for change in summary.changes if change.action != "skip"]
    _give_changes(changes, [(f"CRL of {crl.authority}", crl.reasons) for crl in summary.crls])
    if summary.up_to_date:
        print_line(f"{name} is up to date: a build has nothing to do.")
    counts = [f"{count:,} {_TO_DO[action]}" for action, count in _counts(summary).items() if count]
    print_line(wrap("; ".join([f"{name}: {quantity(len(summary.crls), 'CRL')} to publish", *counts]), 2))
    _say_notes(summary)


def print_build_result(result: BuildResult, *, as_json: bool) -> None:
    """What a build did: what it changed in what there was, the closing table, the next step."""
    summary, folder = result.summary, result.folder
    manifest, trust = folder / "manifest.json", folder / "trust.pem"
    if as_json:
        places = {"folder": str(folder), "manifest": str(manifest), "trust": str(trust)}
        print_summary_json(summary, environment=folder.name, **places, seconds=round(result.seconds, 3))
        return
    told = [change for change in summary.changes if change.action not in ("issue", "skip")]
    _give_changes(told[:_MOST_CHANGES])
    if len(told) > _MOST_CHANGES:
        print_line(f"... and {len(told) - _MOST_CHANGES:,} more; --json lists them all")
    if told:
        print_line()
    state = "is up to date" if summary.up_to_date else "is built"
    print_line(colorize(f"{folder.name} {state} ({result.seconds:.1f} s)", "bold"))
    rows = [(_DONE[action], count) for action, count in _counts(summary).items() if count]
    rows.append(("CRLs published", len(summary.crls)))
    width = max(len(label) for label, _ in rows)
    for label, count in rows:
        print_line(f"  {label:<{width}}  {count:>7,}")
    print_line()
    for label, path in (("files", folder), ("manifest", manifest), ("trust", trust)):
        print_line(f"  {label:<8}  {path}")
    _say_notes(summary)
    print_message(f"Next: pkigen serve {shlex.quote(str(folder))}")


def print_summary_json(summary: Summary, **about: Any) -> None:
    """The whole summary for programs; counts have every action, zero or not."""
    changes = [
        {"id": c.id, "action": c.action, "reasons": c.reasons, "new_key": c.new_key} for c in summary.changes
    ]
    crls = [{"authority": crl.authority, "reasons": crl.reasons} for crl in summary.crls]
    print_json(
        {
            **about,
            "up_to_date": summary.up_to_date,
            "counts": _counts(summary),
            "changes": changes,
            "crls": crls,
            "notes": summary.notes,
        }
    )


def note_unmatched(summary: Summary, only: str | None, certificates: int) -> None:
    """Add a note if ``--only`` named none of so many certificates: most likely it is mistyped."""
    if only is not None and certificates and _counts(summary)["skip"] == certificates:
        summary.notes.append(f"no certificate of the profile has a name that matches --only '{only}'")


def quantity(count: int, what: str, several: str = "") -> str:
    """``1 CRL``, ``2 CRLs``, ``1,000 authorities``."""
    return f"{count:,} {what if count == 1 else several or what + 's'}"


def _counts(summary: Summary) -> dict[str, int]:
    counts = {str(action): count for action, count in summary.counts.items()}
    return {action: counts.get(action, 0) for action in _DONE}


def _give_changes(changes: Sequence[Change], crls: Sequence[tuple[str, tuple[str, ...]]] = ()) -> None:
    lines = [(str(change.action), change.id, change.reasons) for change in changes]
    lines += [("publish", subject, reasons) for subject, reasons in crls]
    width = min(max((len(subject) for _, subject, _ in lines), default=0), _WIDEST_NAME)
    for action, subject, reasons in lines:
        _give_line(action, subject, "; ".join(reasons), width)


def _give_line(action: str, subject: str, reasons: str, width: int) -> None:
    """One action: aligned, with long reasons going on below themselves."""
    head = f"{action:<{_ACTION}}{subject:<{width}}  "
    indent = len(head) if len(head) <= _ACTION + _WIDEST_NAME + 2 else _ACTION
    text = wrap(head + reasons, indent)
    print_line(colorize(text[:_ACTION], _COLOURS.get(action, "grey")) + text[_ACTION:])


def _say_notes(summary: Summary) -> None:
    for note in summary.notes:
        print_message(wrap(f"Note: {note}", 6))
