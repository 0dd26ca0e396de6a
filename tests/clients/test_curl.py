"""curl at the TLS endpoints: with CRLs from files, and with stapled answers."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests import tools
from tests.clients.conftest import Lab, run_any

pytestmark = pytest.mark.needs("curl", "openssl")


def _got(lab: Lab, name: str, *options: str | Path) -> tuple[int, str]:
    host = f"{name}.contoso.test"
    resolve = f"{host}:{lab.tls_port}:127.0.0.1"
    url = f"https://{host}:{lab.tls_port}/"
    command = ("curl", "--silent", "--show-error", "--output", "/dev/null", "--cacert", lab.trust)
    return run_any(*command, "--resolve", resolve, *options, url)


def test_curl_rejects_a_revoked_certificate_with_a_crl_file(lab: Lab, tmp_path: Path) -> None:
    crls = tmp_path / "all.pem"
    for name in ("root", "delta"):
        (tmp_path / name).write_bytes(httpx.get(lab.crl(name)).content)
        pem = tools.run("openssl", "crl", "-inform", "DER", "-in", tmp_path / name)
        with crls.open("a") as file:
            file.write(pem)
    assert _got(lab, "good-delta", "--crlfile", crls) == (0, "")
    code, words = _got(lab, "bad-delta", "--crlfile", crls)
    assert code == 60
    assert "certificate revoked" in words
    assert _got(lab, "bad-delta") == (0, "")


@pytest.mark.parametrize("kind", ["plain", "delegated"])
def test_curl_rejects_a_revoked_certificate_with_a_stapled_response(kind: str, lab: Lab) -> None:
    assert _got(lab, f"good-{kind}", "--cert-status") == (0, "")
    code, words = _got(lab, f"bad-{kind}", "--cert-status")
    assert code == 91
    assert "revocation reason: superseded" in words
