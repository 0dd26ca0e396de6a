"""What mutated inputs are fed to: the readers themselves, and the commands around them."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from unittest import mock

from typer.main import get_command

from pkigen.cli import main
from pkigen.errors import PkigenError
from pkigen.inspection.artifacts import read, read_passphrase
from pkigen.inspection.check import CheckOptions, check_files
from pkigen.inspection.description import describe
from pkigen.inspection.path import validate
from pkigen.profile import load
from pkigen.requirements import load_set

SEEDS = Path(__file__).parent / "seeds"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
# Reading the commands' signatures again for every input would take nine tenths of the time.
_COMMANDS = cache(get_command)
_PASSPHRASES = (b"seed-passphrase", b"")


Target = Callable[[bytes, Path], None]


class Finding(Exception):
    """Something that must not happen; the message says what."""


def _readers(data: bytes, _folder: Path) -> None:
    """Artifacts, their description, and a path made of whatever certificates there are."""
    artefacts = read(data, "mutated", _PASSPHRASES)
    describe(artefacts, NOW)
    certificates = [result.certificate for result in artefacts if result.certificate is not None][:20]
    crls = [result.crl for result in artefacts if result.crl is not None][:5]
    if certificates:
        validate(
            certificates[0],
            certificates[1:],
            certificates[-1:],
            at=NOW,
            crls=crls,
            check_crls=bool(crls),
            host="sensor.contoso.test",
            purpose="server",
        )


def _checked(data: bytes, folder: Path) -> None:
    """Beside a certificate that is sound, as a key, chain or CRL of which it would be."""
    path = folder / "mutated.pem"
    path.write_bytes(data)
    options = CheckOptions(now=NOW, passphrases=_PASSPHRASES)
    sets = [load_set(name) for name in ("defender-iot", "web-server")]
    with contextlib.suppress(PkigenError):
        check_files([SEEDS / "leaf.der", path], sets, options)


def _passphrase(data: bytes, folder: Path) -> None:
    """A passphrase out of the file opens what is under one, or does not."""
    path = folder / "passphrase.txt"
    path.write_bytes(data)
    with contextlib.suppress(PkigenError):
        passphrase = read_passphrase(path)
        for name in ("small.p12", "encrypted.key"):
            read((SEEDS / name).read_bytes(), name, [passphrase])
    for name in ("small.p12", "encrypted.key", "traditional.key"):
        read((SEEDS / name).read_bytes(), name, [data[:2000]])


def _command(*arguments: str) -> Callable[[bytes, Path], None]:
    """Return a target that runs a command line with the input in the place of ``FILE``."""

    def target(data: bytes, folder: Path) -> None:
        path = folder / ("mutated.yaml" if "PROFILE" in arguments else "mutated.pem")
        path.write_bytes(data)
        words = [str(path) if word in ("FILE", "PROFILE") else word for word in arguments]
        words = [word.replace("FOLDER", str(folder)).replace("SEEDS", str(SEEDS)) for word in words]
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch("typer.main.get_command", _COMMANDS),
        ):
            code = main(words)
        if code not in (0, 1, 2) or "bug in pkigen" in err.getvalue():
            raise Finding(f"exits with {code}: {err.getvalue()[-300:]}")

    target.__name__ = " ".join(arguments)
    return target


def _profile(data: bytes, folder: Path) -> None:
    path = folder / "mutated.yaml"
    path.write_bytes(data)
    with contextlib.suppress(PkigenError):
        load(path)


def _requirements(data: bytes, folder: Path) -> None:
    path = folder / "mutated.yaml"
    path.write_bytes(data)
    with contextlib.suppress(PkigenError):
        load_set(os.fspath(path))


_SECRET = ("--passphrase-file", "SEEDS/passphrase.txt")
_SERVER = ("--host", "sensor.contoso.test", "--purpose", "server")
_CONVERT = ("convert", "FILE", *_SECRET, "--force", "--out", "FOLDER/out")
BINARY: tuple[Target, ...] = (
    *(_readers,) * 10,
    *(_checked,) * 2,
    _passphrase,
    _command("show", "FILE", *_SECRET),
    _command("show", "FILE", "SEEDS/fullchain.pem", *_SECRET, "--json", "--against", "defender-iot"),
    _command("check", "FILE", *_SECRET, "--against", "defender-iot", "--against", "rfc5280"),
    _command("check", "FILE", *_SECRET, "--against", "web-server", "--format", "sarif"),
    _command("check", "SEEDS/leaf.der", "--trust", "FILE", "--format", "junit"),
    _command("verify", "FILE", *_SECRET, *_SERVER),
    _command("verify", "SEEDS/leaf.der", "--chain", "FILE", "--trust", "SEEDS/root.der", "--crl", "FILE"),
    _command("verify", "SEEDS/leaf.der", "--trust", "FILE", *_SECRET, "--json"),
    _command(*_CONVERT),
    _command(*_CONVERT, "--to", "p12"),
    _command(*_CONVERT, "--to", "der", "--json"),
    _command(*_CONVERT, "--to", "key", "--key-format", "traditional"),
)
TEXT: tuple[Target, ...] = (
    *(_profile, _profile, _requirements, _requirements),
    _command("validate", "PROFILE"),
    _command("check", "SEEDS/leaf.der", "--against", "PROFILE"),
    _command("show", "PROFILE"),
)


def name_of(target: Target) -> str:
    """The target's name, for reports."""
    return target.__name__.strip("_")
