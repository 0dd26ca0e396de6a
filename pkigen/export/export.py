"""An environment -> a folder for one target."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from pkigen.environment.environment import Environment
from pkigen.errors import InputError, Refused
from pkigen.export.directory import ExportDirectory, WrittenFiles
from pkigen.export.draft import Draft, ExportRequest
from pkigen.export.target import Target
from pkigen.export.template import Templates

FOLDER = "export"
"""Below the environment; in it a folder for each target."""


@dataclass(frozen=True)
class ExportOptions:
    """How to export. ``out`` None is ENV/export/TARGET; ``only`` chooses certificates by a pattern of names.

    ``templates`` is a folder whose files go before the shipped ones of the same names. The others are as
    in ``Given``.
    """

    out: Path | None = None
    only: str | None = None
    templates: Path | None = None
    force: bool = False
    host: str = "127.0.0.1"
    port: int = 8080
    tls_port: int = 8443
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)
    new_passphrase: bytes = field(default=b"changeit", repr=False)


@dataclass(frozen=True)
class ExportResult:
    """What was done: the folder, its files, the certificates in it, and why others are not.

    ``secret`` are those of the files that hold private keys.
    """

    target: Target
    folder: Path
    files: WrittenFiles
    secret: frozenset[str]
    certificates: tuple[str, ...]
    left_out: dict[str, str]
    notes: tuple[str, ...]


def export(environment: Environment, target: Target, options: ExportOptions) -> ExportResult:
    """Write an export, or bring it up to date.

    InputError when no certificate is chosen, a template is wrong, or something is in the way; Refused when
    the target can hold none of them.
    """
    templates = Templates(options.templates)
    templates.must_have_one_of(target.templates)
    cases = tuple(case for case in environment.cases() if fnmatchcase(case.name, options.only or "*"))
    if not cases:
        chosen = f"matches --only '{options.only}'" if options.only else "is in it"
        raise InputError(f"{environment.folder} has nothing to export: no certificate {chosen}")
    given = ExportRequest(
        environment,
        cases,
        options.host,
        options.port,
        options.tls_port,
        options.passphrases,
        options.new_passphrase,
    )
    draft = Draft(given, templates)
    target.write(draft)
    if not draft.exported:
        name, reason = next(iter(draft.left_out.items()))
        raise Refused(f"{target.name} can hold none of these certificates ({name}: {reason})")
    folder = options.out or environment.folder / FOLDER / target.name
    written = ExportDirectory(folder, target.name, options.force).bring_up_to_date(draft.files)
    return ExportResult(
        target=target,
        folder=folder,
        files=written,
        secret=frozenset(path for path, file in draft.files.items() if file.secret),
        certificates=tuple(draft.exported),
        left_out=draft.left_out,
        notes=tuple(draft.notes),
    )
