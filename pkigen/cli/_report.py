"""Prints what a build did or would do: within 80 columns for people, and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pkigen.cli._console import colorize, print_json, print_line, print_message, wrap

if TYPE_CHECKING:
    from pkigen.environment.build.options import BuildResult, Change, Summary

_COLORS = {
    "issue": "green",
    "reissue": "yellow",
    "rewrite": "cyan",
    "prune": "red",
    "left": "grey",
    "publish": "green",
}
_DONE = {
    "issue": "issued",
    "reissue": "reissued",
    "rewrite": "files rewritten",
    "keep": "unchanged",
    "skip": "skipped by --only",
    "left": "not in the profile, kept",
    "prune": "deleted",
}
_TO_DO = {
    "issue": "to issue",
    "reissue": "to reissue",
    "rewrite": "to rewrite",
    "keep": "unchanged",
    "skip": "skipped by --only",
    "left": "not in the profile, kept",
    "prune": "to delete",
}
_MOST_CHANGES = 20
_ACTION_WIDTH = 9
_WIDEST_NAME = 36


def print_preview(summary: Summary, name: str) -> None:
    """Print what a build would do: every change, then the counts."""
    changes = [change for change in summary.changes if change.action != "skip"]
    _print_changes(changes, [(f"CRL of {crl.authority}", crl.reasons) for crl in summary.crls])
    if summary.up_to_date:
        print_line(f"{name} is up to date: a build would change nothing.")
    counts = [f"{count:,} {_TO_DO[action]}" for action, count in _counts(summary).items() if count]
    print_line(wrap("; ".join([f"{name}: {quantity(len(summary.crls), 'CRL')} to publish", *counts]), 2))
    _print_notes(summary)


def print_build_result(result: BuildResult, *, as_json: bool) -> None:
    """Print what a build changed in existing output, the summary table and the next command."""
    summary, directory = result.summary, result.folder
    manifest, trust = directory / "manifest.json", directory / "trust.pem"
    if as_json:
        places = {"folder": str(directory), "manifest": str(manifest), "trust": str(trust)}
        print_summary_json(summary, environment=directory.name, **places, seconds=round(result.seconds, 3))
        return
    changes = [one for one in summary.changes if one.action not in ("issue", "skip") or one.revocation]
    changes.sort(key=lambda change: not change.revocation)
    _print_changes(changes[:_MOST_CHANGES])
    if len(changes) > _MOST_CHANGES:
        print_line(f"... and {len(changes) - _MOST_CHANGES:,} more; --json lists them all")
    if changes:
        print_line()
    state = "is up to date" if summary.up_to_date else "is built"
    print_line(colorize(f"{directory.name} {state} ({result.seconds:.1f} s)", "bold"))
    rows = [(_DONE[action], count) for action, count in _counts(summary).items() if count]
    rows += [("issued in fleets", summary.in_shards)] if summary.in_shards else []
    rows.append(("CRLs published", len(summary.crls)))
    width = max(len(label) for label, _ in rows)
    for label, count in rows:
        print_line(f"  {label:<{width}}  {count:>7,}")
    print_line()
    for label, path in (("files", directory), ("manifest", manifest), ("trust", trust)):
        print_line(f"  {label:<8}  {path}")
    _print_notes(summary)
    print_message(f"Next: pkigen serve {shlex.quote(str(directory))}")


def print_summary_json(summary: Summary, **fields: Any) -> None:
    """Print the whole summary as JSON after ``fields``; the counts contain every action, even with 0."""
    changes = [
        {"id": c.id, "action": c.action, "reasons": c.reasons, "new_key": c.new_key}
        | ({"revocation": c.revocation} if c.revocation else {})
        for c in summary.changes
    ]
    crls = [{"authority": crl.authority, "reasons": crl.reasons} for crl in summary.crls]
    print_json(
        {
            **fields,
            "up_to_date": summary.up_to_date,
            "counts": _counts(summary),
            **({"in_fleets": summary.in_shards} if summary.in_shards else {}),
            "changes": changes,
            "crls": crls,
            "notes": summary.notes,
        }
    )


def quantity(count: int, noun: str, plural: str = "") -> str:
    """Return ``1 CRL``, ``2 CRLs``, ``1,000 authorities``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def _counts(summary: Summary) -> dict[str, int]:
    counts = {str(action): count for action, count in summary.counts.items()}
    return {action: counts.get(action, 0) for action in _DONE}


def _print_changes(changes: Sequence[Change], crls: Sequence[tuple[str, tuple[str, ...]]] = ()) -> None:
    lines = [
        (str(change.action), change.id, (*change.reasons, *filter(None, [change.revocation])))
        for change in changes
    ]
    lines += [("publish", subject, reasons) for subject, reasons in crls]
    width = min(max((len(subject) for _, subject, _ in lines), default=0), _WIDEST_NAME)
    for action, subject, reasons in lines:
        _print_change(action, subject, "; ".join(reasons), width)


def _print_change(action: str, subject: str, reasons: str, width: int) -> None:
    """Print one action as an aligned line; long reasons continue below themselves."""
    head = f"{action:<{_ACTION_WIDTH}}{subject:<{width}}  "
    indent = len(head) if len(head) <= _ACTION_WIDTH + _WIDEST_NAME + 2 else _ACTION_WIDTH
    text = wrap(head + reasons, indent)
    print_line(colorize(text[:_ACTION_WIDTH], _COLORS.get(action, "grey")) + text[_ACTION_WIDTH:])


def _print_notes(summary: Summary) -> None:
    for note in summary.notes:
        print_message(wrap(f"Note: {note}", 6))
