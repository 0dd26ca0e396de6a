"""Client authentication and OCSP stapling: files of the export, and what real servers do with them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.errors import InputError
from pkigen.export import TARGETS, ExportOptions, ExportResult, export
from tests.export.conftest import free_port, running
from tests.export.test_servers import STARTS
from tests.tools import run

PROFILE: dict[str, Any] = {
    "name": "mutual",
    "base_url": "http://127.0.0.1:8080",
    "defaults": {"key": "ec-p256", "ocsp": {}},
    "authorities": {"root": {}, "issuing": {"issuer": "root"}},
    "certificates": {
        "server": {"issuer": "issuing", "san": ["dns:server.test"], "must_staple": True},
        "direct": {"issuer": "root", "san": ["dns:direct.test"], "must_staple": True},
        "client": {"issuer": "issuing", "extended_key_usage": ["clientAuth"]},
        "revoked": {
            "issuer": "issuing",
            "extended_key_usage": ["clientAuth"],
            "revoked": {"reason": "keyCompromise"},
        },
        "signer": {"issuer": "issuing", "extended_key_usage": ["codeSigning"]},
    },
}
AUTHENTICATING = [name for name, one in TARGETS.items() if one.client_auth]


@pytest.fixture(scope="module")
def mutual(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(PROFILE, tmp_path_factory.mktemp("mutual"))


def _export(environment: Environment, folder: Path, target: str, **options: Any) -> ExportResult:
    settings = ExportOptions(out=folder / target, client_auth=True, **options)
    return export(environment, TARGETS[target], settings)


@pytest.mark.parametrize("target", AUTHENTICATING)
def test_each_server_gets_the_clients_and_leaves_out_other_purposes(
    target: str, mutual: Environment, tmp_path: Path
) -> None:
    done = _export(mutual, tmp_path, target)
    others = {"signer"} - {*done.left_out}
    assert {*done.certificates} - others == {"server", "direct", "client", "revoked"}
    assert (others == set()) is (target != "strongswan")
    if target not in ("openvpn", "strongswan"):
        assert (done.folder / "certs/client.pem").read_text().count("BEGIN CERTIFICATE") == 2
        assert (done.folder / "crls.pem").read_text().count("BEGIN X509 CRL") == 2
        assert (done.folder / "private/client.key").stat().st_mode & 0o077 == 0


@pytest.mark.needs("openssl")
def test_the_hashed_directory_lets_openssl_find_trust_anchor_and_crls(
    mutual: Environment, tmp_path: Path
) -> None:
    folder = _export(mutual, tmp_path, "nginx").folder
    command = ["openssl", "verify", "-CApath", "trust", "-crl_check_all", "-untrusted"]
    for name, accepted in (("client", True), ("revoked", False)):
        path = f"certs/{name}.pem"
        done = subprocess.run([*command, path, path], cwd=folder, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is accepted, done.stderr
        assert accepted or "certificate revoked" in done.stderr


@pytest.mark.parametrize(
    "target", [pytest.param(name, marks=pytest.mark.needs(name, "openssl")) for name in ("nginx", "haproxy")]
)
def test_a_server_staples_the_response_that_must_staple_requires(
    target: str, mutual: Environment, open_folder: Path
) -> None:
    port, tls_port = free_port(), free_port()
    settings = ExportOptions(out=open_folder / target, port=port, tls_port=tls_port)
    done = export(mutual, TARGETS[target], settings)
    assert "OCSP stapling" in done.notes[0]
    with running([*STARTS[target]], done.folder, port, tls_port):
        for host in ("server.test", "direct.test"):
            output = run(
                "openssl", "s_client", "-connect", f"127.0.0.1:{tls_port}", "-servername", host, "-status"
            )
            assert "Cert Status: good" in output


def test_client_authentication_is_refused_where_the_target_does_not_support_it(
    mutual: Environment, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"not supported for java; use one of apache, .*stunnel"):
        _export(mutual, tmp_path, "java")
