"""Exports an environment to a directory for one target."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from pkigen.documents.fields import unknown
from pkigen.environment.environment import Environment
from pkigen.errors import InputError, Refused
from pkigen.export.directory import ExportDirectory, WrittenFiles
from pkigen.export.draft import Draft, ExportRequest
from pkigen.export.fleet import ExportedFleet
from pkigen.export.target import TARGETS, Target
from pkigen.export.template import Templates
from pkigen.store.layout import DIRECTORIES

FOLDER = "export"
"""Default directory, below the environment; it contains one directory per target."""


_HTTP_PORT = 8080


@dataclass(frozen=True)
class ExportOptions:
    """Options of an export: ``out`` None means ENV/export/TARGET; ``only`` is a pattern of certificate names.

    Files in the directory ``templates`` override the shipped templates by name. ``port`` None means the port
    of the base URL, or 8080 if that is https; ``tls_port`` None means the target's default. ``fleet`` is the
    name of the fleet to export, of which ``only`` and ``count`` select certificates. The other fields are
    those of ``ExportRequest``.
    """

    out: Path | None = None
    only: str | None = None
    templates: Path | None = None
    force: bool = False
    host: str = "127.0.0.1"
    port: int | None = None
    tls_port: int | None = None
    client_auth: bool = False
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)
    new_passphrase: bytes = field(default=b"changeit", repr=False)
    fleet: str | None = None
    count: int | None = None


@dataclass(frozen=True)
class ExportResult:
    """The result of an export: its directory and files, the exported certificates, and the reasons for the
    others.

    ``secret`` lists the files that contain private keys.
    """

    target: Target
    folder: Path
    files: WrittenFiles
    secret: frozenset[str]
    certificates: tuple[str, ...]
    left_out: dict[str, str]
    notes: tuple[str, ...]


def export(environment: Environment, target: Target, options: ExportOptions) -> ExportResult:
    """Write or update an export.

    Raises InputError if no certificate matches, a template has an error, or an existing file would be
    overwritten, or --client-auth is not supported; Refused if the target can export none of the certificates.
    """
    if options.out is not None:
        _require_own_directory(options.out, environment.folder)
    templates = Templates(options.templates)
    templates.require_override_of(target.templates)
    if options.client_auth and not target.client_auth:
        able = ", ".join(one.name for one in TARGETS.values() if one.client_auth)
        raise InputError(f"--client-auth is not supported for {target.name}; use one of {able}")
    cases = tuple(case for case in environment.cases() if fnmatchcase(case.name, options.only or "*"))
    fleet = _fleet(environment, options)
    if not cases and fleet is None:
        reason = f"matches --only '{options.only}'" if options.only else "is in it"
        raise InputError(f"{environment.folder} has nothing to export: no certificate {reason}")
    given = ExportRequest(
        environment,
        cases,
        options.host,
        options.port or environment.http_port or _HTTP_PORT,
        options.tls_port or target.tls_port,
        options.client_auth,
        options.passphrases,
        options.new_passphrase,
    )
    draft = Draft(given, templates, fleet)
    target.write(draft)
    if not draft.exported:
        if fleet is not None:
            raise InputError(
                f"no certificate of the fleet {fleet.fleet.name} matches --only '{options.only}'"
            )
        if not draft.left_out:
            raise ValueError(f"the export target '{target.name}' must add each certificate to draft.exported")
        name, reason = next(iter(draft.left_out.items()))
        raise Refused(f"{target.name} can export none of these certificates ({name}: {reason})")
    name = target.name if fleet is None else f"{target.name}-{fleet.fleet.name}"
    folder = options.out or environment.folder / FOLDER / name
    written = ExportDirectory(folder, target.name, options.force).update(draft.files)
    return ExportResult(
        target=target,
        folder=folder,
        files=written,
        secret=frozenset(path for path, file in draft.files.items() if file.secret),
        certificates=tuple(draft.exported),
        left_out=draft.left_out,
        notes=tuple(draft.notes),
    )


def _require_own_directory(out: Path, environment: Path) -> None:
    """Raise InputError if an export would mix with the files of builds; ``www`` is public, keys are not."""
    out, environment = out.resolve(), environment.resolve()
    in_use = out == environment or any(out.is_relative_to(environment / name) for name in DIRECTORIES)
    if in_use:
        raise InputError(f"builds write to {out}; choose another --out, such as {environment / FOLDER}")


def _fleet(environment: Environment, options: ExportOptions) -> ExportedFleet | None:
    """Return the fleet to export, None for an export of single certificates; InputError if it is missing."""
    if options.fleet is None:
        return None
    fleets = {fleet.name: fleet for fleet in environment.contents.fleets}
    if options.fleet not in fleets:
        hint = unknown("fleet", options.fleet, tuple(fleets)) if fleets else "the environment has no fleet"
        raise InputError(f"{environment.folder}: {hint}")
    return ExportedFleet(
        environment.folder, fleets[options.fleet], options.only or "*", options.count, options.passphrases
    )
