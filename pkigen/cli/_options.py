"""What several commands take: arguments and options, and what becomes of them."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pkigen.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pkigen.profile import Profile


def _complete_profile(incomplete: str) -> list[str]:
    from pkigen.profile import shipped

    names = [name for name in shipped.names() if name.startswith(incomplete)]
    return names + _complete_path(incomplete, "*.y*ml")


def _complete_path(incomplete: str, pattern: str) -> list[str]:
    folder, start = Path(incomplete).parent, incomplete.rpartition("/")[2]
    if incomplete.endswith("/"):
        folder = Path(incomplete)
    files = [str(path) for path in folder.glob(pattern)]
    folders = [f"{path}/" for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    return [path for path in sorted(files + folders) if Path(path).name.startswith(start)]


ProfileSource = Annotated[
    str,
    typer.Argument(
        metavar="PROFILE",
        help="A profile's path, or the name of a shipped one.",
        autocompletion=_complete_profile,
    ),
]
EnvironmentDirectory = Annotated[
    Path, typer.Argument(metavar="ENV", help="A built environment's folder, e.g. out/defender-iot.")
]
Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The folder that environments are in.")]
Only = Annotated[
    str | None,
    typer.Option("--only", metavar="GLOB", help="Only certificates whose names match, e.g. 'sensor-*'."),
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="The build's clock: 2026-01-31, 2026-01-31T12:00Z or +40d."),
]
EvaluationTime = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="When to look at dates, if not now.")
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        max=1024,
        help="How many work at once; as many as there are cores, if not said.",
    ),
]
Rekey = Annotated[bool, typer.Option("--rekey", help="Make new keys for everything.")]
Prune = Annotated[bool, typer.Option("--prune", help="Remove what has left the profile.")]
Seed = Annotated[
    str | None,
    typer.Option(
        "--seed",
        metavar="TEXT",
        help="Make every byte follow from TEXT, keys too; the salts of PKCS#12 files alone do not. "
        "For fixtures: such keys are no secret.",
    ),
]
Keys = Annotated[
    Literal["fresh", "pool"],
    typer.Option("--keys", help="New keys, or keys from a cached pool where a key does not matter."),
]
PassphraseFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="A passphrase, on the file's first line; may be given several times.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result for programs.")]


def load_profile(source: str) -> Profile:
    """The profile at a path, or the shipped one of that name; raises InputError."""
    from pkigen.profile import load

    return load(profile_path(source))


def profile_path(source: str) -> Path:
    """Where the profile is that a person means by ``source``; a file here goes before a shipped one."""
    from pkigen.profile import shipped

    path = Path(source)
    if path.exists() and not path.is_dir():
        return path
    if source in shipped.names():
        return shipped.path(source)
    if path.is_dir():
        raise InputError(f"{source} is a folder; a profile is a YAML file")
    raise unknown_profile(source, "no such file, and no shipped profile of that name")


def unknown_profile(name: str, message: str) -> InputError:
    """The error for a name that no shipped profile has, with those that there are."""
    from pkigen.profile import shipped

    names = sorted(shipped.names())
    close = get_close_matches(name, names, n=1)
    there_are = f"{message}; shipped are {', '.join(names)}"
    return InputError(Problem(there_are, where=name, suggestion=close[0] if close else None))


def parse_time(text: str | None, option: str = "--at") -> datetime | None:
    """What an option says, in UTC; a usage error if it says no time."""
    if text is None:
        return None
    from datetime import UTC, datetime

    from pkigen.clock import parse_at

    try:
        return parse_at(text, datetime.now(UTC))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=f"'{option}'") from error


def require_choice(text: str, known: Sequence[str], option: str) -> str:
    """What an option says, if it is one of the words that it can say; else a usage error with a hint."""
    if text in known:
        return text
    close = get_close_matches(text, known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"
    raise typer.BadParameter(f"'{text}' is none; {hint}", param_hint=f"'{option}'")
