"""Arguments and options that several commands share, and functions that parse their values."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pkigen.cli._completion import (
    complete_environment,
    complete_profile,
)
from pkigen.cli._environments import find_environment
from pkigen.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pkigen.profile import Profile


ProfileSource = Annotated[
    str,
    typer.Argument(
        metavar="PROFILE",
        help="Path of a profile, or name of a shipped profile (see pkigen init --list).",
        autocompletion=complete_profile,
    ),
]
EnvironmentArgument = typer.Argument(
    metavar="ENV",
    help="Built environment: its directory, such as out/defender-iot, or its name.",
    callback=find_environment,
    autocompletion=complete_environment,
)
EnvironmentDirectory = Annotated[Path, EnvironmentArgument]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Directory that contains the environments.")]
Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="GLOB",
        help="Process only certificates whose name matches, e.g. 'sensor-*' (default: all).",
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="Set the build clock: 2026-01-31, 2026-01-31T12:00Z or +40d (default: now).",
    ),
]
EvaluationTime = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="Evaluate validity at TIME instead of now."),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        max=1024,
        help="Number of parallel workers (default: one per CPU core).",
    ),
]
Rekey = Annotated[
    bool, typer.Option("--rekey", help="Generate a new key for every certificate (default: keep keys).")
]
Prune = Annotated[
    bool,
    typer.Option(
        "--prune", help="Delete certificates that are no longer in the profile (default: keep them)."
    ),
]
ReplaceRoot = Annotated[
    bool,
    typer.Option(
        "--replace-root",
        help="Allow the subject or key of a root to change, or a root to be removed, e.g. --rekey "
        "--replace-root. Every client must then import trust.pem again.",
    ),
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        help="Compare the digests of the shards of fleets (default: their sizes and modification times).",
    ),
]
Scheduler = Annotated[
    str,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Build the shards of fleets on the workers of a Dask scheduler: tls://HOST:8786.",
    ),
]
InsecureScheduler = Annotated[
    bool,
    typer.Option("--insecure-scheduler", help="Allow a scheduler on another machine without TLS (tcp://)."),
]
ShardsTo = Annotated[
    str,
    typer.Option(
        "--shards-to",
        metavar="URL",
        help="Write the shards of fleets to a URL such as s3://bucket (default: the environment).",
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Replace the authorities of an environment that was built from another profile, e.g. "
        "pkigen build other.yaml --force; includes --replace-root.",
    ),
]
Seed = Annotated[
    str | None,
    typer.Option(
        "--seed",
        metavar="TEXT",
        help="Derive all output, including keys, from TEXT so that builds are reproducible (PKCS#12 salts "
        "stay random). Use it for test fixtures only: these keys are not secret.",
    ),
]
Keys = Annotated[
    Literal["fresh", "pool", "unique"],
    typer.Option(
        "--keys",
        help="Generate new keys (fresh), or reuse keys from a cache to save time (pool). All faulty cases of "
        "a certificate share one key; with unique, each case gets a new key of its own.",
    ),
]
PassphraseFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="File whose first line is a passphrase to try on encrypted files; can be repeated.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def load_profile(source: str) -> Profile:
    """Load a profile by path or by the name of a shipped profile; raise InputError with all its errors."""
    from pkigen.profile import load

    return load(profile_path(source))


def profile_path(source: str) -> Path:
    """Return the path of a profile; an existing file takes precedence over a shipped profile."""
    from pkigen.documents import shipped

    path = Path(source)
    if path.exists() and not path.is_dir():
        return path
    if source in shipped.names():
        return shipped.path(source)
    if path.is_dir():
        raise InputError(f"{source} is a directory; a profile is a YAML file")
    raise unknown_profile(source, "no such file, and no shipped profile of that name")


def unknown_profile(name: str, message: str) -> InputError:
    """Return the error for an unknown profile name, with the most similar name of a shipped profile."""
    from pkigen.documents import shipped

    close = get_close_matches(name, shipped.names(), n=1)
    text = f"{message}; `pkigen init --list` lists the shipped profiles"
    return InputError(Problem(text, where=name, suggestion=close[0] if close else None))


def parse_period(text: str, now: datetime, option: str) -> datetime:
    """Return the end of a period from now, such as 30d; raise a usage error if it is invalid."""
    from pkigen.clock import parse_span, shift

    try:
        return shift(now, parse_span(text))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=f"'{option}'") from error


def parse_time(text: str | None, option: str = "--at") -> datetime | None:
    """Parse the time that an option gives, in UTC; raise a usage error if it is invalid."""
    if text is None:
        return None
    from datetime import UTC, datetime

    from pkigen.clock import parse_at

    try:
        return parse_at(text, datetime.now(UTC))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=f"'{option}'") from error


def require_choice(text: str, choices: Sequence[str], option: str) -> str:
    """Return ``text`` if it is one of ``choices``; otherwise raise a usage error that suggests one."""
    if text in choices:
        return text
    close = get_close_matches(text, choices, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"choose from {', '.join(choices)}"
    raise typer.BadParameter(f"'{text}' is not a valid value; {hint}", param_hint=f"'{option}'")
