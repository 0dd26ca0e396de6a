"""What GnuTLS' certtool and ocsptool make of the stub's CRLs and answers."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests import tools
from tests.clients.conftest import Lab, run_any

pytestmark = pytest.mark.needs("certtool", "ocsptool", "openssl")


@pytest.mark.parametrize("path", ["plain", "delta", "delta/delta", "partitioned/part-1", "reasoned/reasons"])
def test_certtool_verifies_a_crl(path: str, lab: Lab, tmp_path: Path) -> None:
    der, pem = tmp_path / "one.crl", tmp_path / "one.pem"
    der.write_bytes(httpx.get(lab.crl(path)).content)
    tools.run("openssl", "crl", "-inform", "DER", "-in", der, "-out", pem)
    issuer = lab.authority(path.partition("/")[0])
    code, words = run_any("certtool", "--verify-crl", "--load-ca-certificate", issuer, "--infile", pem)
    assert code == 0, words
    assert "output: Verified" in words


def test_certtool_rejects_the_revoked_certificate(lab: Lab, tmp_path: Path) -> None:
    crl = tmp_path / "plain.pem"
    crl.write_bytes((lab.folder / "authorities" / "plain" / "plain.crl").read_bytes())
    for name, words in (("good-plain", "Chain verification output: Verified"), ("bad-plain", "revoked")):
        bundle = tmp_path / f"{name}.pem"
        bundle.write_bytes(lab.certificate(name).read_bytes() + lab.chain(name).read_bytes())
        command = ("certtool", "--verify", "--load-ca-certificate", lab.trust, "--load-crl", crl)
        assert words in run_any(*command, "--infile", bundle)[1]


@pytest.mark.parametrize(("kind", "by"), [("plain", "signer"), ("delegated", "trust"), ("named", "trust")])
def test_ocsptool_requests_and_verifies(kind: str, by: str, lab: Lab) -> None:
    for name, status in ((f"good-{kind}", "good"), (f"bad-{kind}", "revoked")):
        issuer = lab.authority(kind)
        command = ("ocsptool", f"--ask={lab.url}/ocsp", "--nonce", "--load-cert", lab.certificate(name))
        _, words = run_any(*command, "--load-issuer", issuer, f"--load-{by}", issuer)
        assert "Verifying OCSP Response: Success" in words
        assert f"Certificate Status: {status}" in words
