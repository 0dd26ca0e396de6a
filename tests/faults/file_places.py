"""Where the key file, the chain file and the PKCS#12 file of a case differ from those without the fault."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pkigen.faults import Case
from tests.faults.places import differing

_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----[^-]+-----END")
_ALIAS = re.compile(r"friendlyName: (.*)")
_UNREADABLE_PKCS12 = ("wrong-password", "null-content")
_CHANGED_IN_PKCS12 = {"other-key": {"PRIVATE KEY"}, "no-certificate": {"CERTIFICATE"}}


def unplanned_in_files(twin: Case, made: Case, faulty: Path, sound: Path) -> set[str]:
    """Return the files of a case that differ from those of its twin, although the fault does not declare it.

    The key file is that of the twin, and the chain file contains the certificates of the path, unless the
    fault alters the file or changes the key. A PKCS#12 file has the same contents as that of the twin.
    """
    return set(_unplanned_in_files(twin, made, faulty, sound))


def _unplanned_in_files(twin: Case, made: Case, faulty: Path, sound: Path) -> Iterator[str]:
    altered = {one.file for one in made.entity.output.alterations}
    name, own = made.entity.name, made.entity.id
    keys = [(folder / own / f"{name}.key").read_bytes() for folder in (faulty, sound)]
    has_other_key = (twin.entity.key, twin.entity.key_of) != (made.entity.key, made.entity.key_of)
    if keys[0] != keys[1] and not has_other_key and "key" not in altered:
        yield "key file"
    path = [(faulty / one.id / f"{one.name}.crt").read_bytes() for one in made.authorities]
    own_certificate = (faulty / own / f"{name}.crt").read_bytes()
    if "chain" not in altered and (faulty / own / "chain.pem").read_bytes() != b"".join(
        path or [own_certificate]
    ):
        yield "chain file"
    if "pkcs12" in altered:
        yield from _unplanned_in_pkcs12(made, faulty, sound)


def _unplanned_in_pkcs12(made: Case, faulty: Path, sound: Path) -> Iterator[str]:
    (how,) = (one.how for one in made.entity.output.alterations if one.file == "pkcs12")
    ours, theirs = (
        _pkcs12(folder / made.entity.id / f"{made.entity.name}.p12", made.entity.output.pkcs12_passphrase)
        for folder in (faulty, sound)
    )
    assert theirs, "openssl reads the file without the fault"
    if how in _UNREADABLE_PKCS12 and not ours:
        return
    yield from (f"PKCS#12: {one}" for one in differing(ours, theirs) - _CHANGED_IN_PKCS12.get(how, set()))


def _pkcs12(path: Path, passphrase: bytes) -> dict[str, str]:
    """Return the contents of a PKCS#12 file by kind, as openssl reads them; empty if it fails."""
    command = ["openssl", "pkcs12", "-in", str(path), "-nodes", "-nomacver", "-legacy"]
    done = subprocess.run(
        [*command, "-passin", f"pass:{passphrase.decode()}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {}
    contents = {"alias": " ".join(sorted(set(_ALIAS.findall(done.stdout))))}
    for match in _BLOCK.finditer(done.stdout):
        contents[match[1]] = contents.get(match[1], "") + match[0]
    return contents
