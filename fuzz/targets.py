"""What mutated inputs are fed to: the readers themselves, and the commands around them."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pkigen.artefacts import read
from pkigen.cli import main
from pkigen.description import describe
from pkigen.errors import PkigenError
from pkigen.path import validate
from pkigen.profile import load
from pkigen.requirements import load_set

NOW = datetime(2026, 11, 23, tzinfo=UTC)
_PASSPHRASES = (b"seed-passphrase", b"")


class Finding(Exception):
    """Something that must not happen; the message says what."""


def _readers(data: bytes, _folder: Path) -> None:
    """Artefacts, their description, and a path made of whatever certificates there are."""
    artefacts = read(data, "mutated", _PASSPHRASES)
    describe(artefacts, NOW)
    certificates = [found.certificate for found in artefacts if found.certificate is not None][:20]
    crls = [found.crl for found in artefacts if found.crl is not None][:5]
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


def _command(*arguments: str) -> Callable[[bytes, Path], None]:
    """A command line over the input, which stands where ``FILE`` does."""

    def target(data: bytes, folder: Path) -> None:
        path = folder / "mutated.pem"
        path.write_bytes(data)
        words = [str(path) if word == "FILE" else word.replace("FOLDER", str(folder)) for word in arguments]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words)
        if code not in (0, 1, 2) or "bug in pkigen" in err.getvalue():
            raise Finding(f"{' '.join(arguments)} exits with {code}: {err.getvalue()[-300:]}")

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


_SECRET = ("--passphrase-file", str(Path(__file__).parent / "seeds" / "passphrase.txt"))
BINARY: tuple[Callable[[bytes, Path], None], ...] = (
    *(_readers,) * 6,
    _command("show", "FILE", *_SECRET),
    _command("check", "FILE", *_SECRET, "--against", "defender-iot", "--against", "rfc5280"),
    _command("verify", "FILE", *_SECRET, "--host", "sensor.contoso.test", "--purpose", "server"),
    _command("convert", "FILE", *_SECRET, "--force", "--out", "FOLDER/out"),
)
TEXT: tuple[Callable[[bytes, Path], None], ...] = (_profile, _requirements)


def name_of(target: Callable[[bytes, Path], None]) -> str:
    """The target's name, for reports."""
    return target.__name__.strip("_")
