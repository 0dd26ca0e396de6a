"""Servers accept every good client certificate of a shipped profile, and reject every revoked one.

`make servers` runs every server with both profiles. Without it, two servers that start fast run with one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from cryptography.x509 import ExtendedKeyUsage, load_pem_x509_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID

from pkigen import build
from pkigen.environment.environment import Case, Environment, open_environment
from pkigen.environment.revoke import revoke
from tests.export.conftest import free_port, open_folder, running
from tests.servers.programs import PROGRAMS, Client, Files

CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH.dotted_string
_ALL = os.environ.get("PKIGEN_SERVERS") == "all"
_PROFILES = ("deep-hierarchy", "defender-iot") if _ALL else ("deep-hierarchy",)
_SERVERS = [
    pytest.param(name, marks=pytest.mark.needs(PROGRAMS[name].tool))
    for name in (PROGRAMS if _ALL else ("nginx", "stunnel"))
]

__all__ = ["open_folder"]


@pytest.fixture(scope="module", params=_PROFILES)
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A shipped profile, of whose certificates every second one is revoked."""
    built = build(request.param, tmp_path_factory.mktemp("servers"))
    names = [case.name for case in built.cases()]
    revoke(built.folder, names[::2], reason="keyCompromise")
    return open_environment(built.folder)


def _with_path(case: Case) -> bytes:
    """Return the certificate and the CA certificates except the root, as clients and servers send them."""
    blocks = case.chain.read_text("ascii").split("-----END CERTIFICATE-----\n")[:-2]
    return (
        case.certificate.read_bytes()
        + "".join(f"{one}-----END CERTIFICATE-----\n" for one in blocks).encode()
    )


def _purposes(case: Case) -> tuple[str, ...]:
    """Return the OIDs of the extended key usage."""
    certificate = load_pem_x509_certificate(case.certificate.read_bytes())
    return tuple(
        one.dotted_string for one in certificate.extensions.get_extension_for_class(ExtendedKeyUsage).value
    )


@pytest.mark.parametrize("server", _SERVERS)
def test_good_client_certificates_are_accepted_and_revoked_ones_rejected(
    environment: Environment, server: str, open_folder: Path, tmp_path: Path
) -> None:
    program, files = PROGRAMS[server], Files(open_folder)
    cases = list(environment.cases())
    own = next(case for case in cases if SERVER_AUTH in _purposes(case))
    (open_folder / files.certificate).write_bytes(_with_path(own))
    (open_folder / files.key).write_bytes(own.key.read_bytes())
    (open_folder / files.key).chmod(0o600)
    (open_folder / files.anchors).write_bytes(environment.trust.read_bytes())
    (open_folder / files.crls).write_bytes((environment.folder / "crls.pem").read_bytes())
    if program.user:
        for path in (open_folder, *open_folder.iterdir()):
            shutil.chown(path, program.user)
    port = free_port()
    verdicts = {}
    with running(program.start(files, port), open_folder, port, user=program.user):
        for case in cases:
            if CLIENT_AUTH in _purposes(case):
                sent = tmp_path / f"{case.name}.pem"
                sent.write_bytes(_with_path(case))
                verdicts[case.name] = program.accepts(Client(sent, case.key, environment.trust), port)
    manifest = {case["name"]: case["revoked"] is None for case in environment.manifest["cases"]}
    log = (open_folder / "said.log").read_text(errors="replace")[-4000:]
    assert verdicts == {name: manifest[name] for name in verdicts}, log
    assert {*verdicts.values()} == {True, False}
