"""What the openssl command line makes of CRLs and OCSP answers that it fetches from the stub."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests import tools
from tests.clients.conftest import KINDS, Lab, run_any

pytestmark = pytest.mark.needs("openssl", "curl")

_URL = re.compile(r"URI:(\S+)")


def _downloaded(lab: Lab, certificate: Path, out: Path) -> list[Path]:
    """The CRLs that a certificate names, fetched with curl, as PEM."""
    stated = tools.run("openssl", "x509", "-in", certificate, "-noout", "-ext", "crlDistributionPoints")
    paths = []
    for number, url in enumerate(_URL.findall(stated)):
        der, pem = out / f"{certificate.stem}-{number}.crl", out / f"{certificate.stem}-{number}.pem"
        tools.run("curl", "--silent", "--fail", "-o", der, url)
        tools.run("openssl", "crl", "-inform", "DER", "-in", der, "-out", pem)
        paths.append(pem)
    assert paths
    return paths


def _verified(lab: Lab, name: str, *options: str | Path) -> str:
    command: list[str | Path] = ["openssl", "verify", "-CAfile", lab.trust, "-untrusted", lab.chain(name)]
    return run_any(*command, *options, lab.certificate(name))[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_is_verified_with_the_crls_that_its_certificates_name(
    kind: str, lab: Lab, tmp_path: Path
) -> None:
    for name, words in ((f"good-{kind}", ": OK"), (f"bad-{kind}", "certificate revoked")):
        crls = _downloaded(lab, lab.certificate(name), tmp_path)
        crls += _downloaded(lab, lab.authority(kind), tmp_path)
        options = [part for crl in crls for part in ("-CRLfile", crl)]
        assert words in _verified(lab, name, "-crl_check_all", *options, "-extended_crl")


@pytest.mark.parametrize("kind", ["plain", "partitioned", "delta"])
def test_openssl_downloads_crls_itself(kind: str, lab: Lab) -> None:
    assert ": OK" in _verified(lab, f"good-{kind}", "-crl_check", "-crl_download")
    assert "certificate revoked" in _verified(lab, f"bad-{kind}", "-crl_check", "-crl_download")


def test_a_delta_crl_adds_to_its_base_and_lifts_a_hold(lab: Lab, tmp_path: Path) -> None:
    pems = {}
    for name in ("base", "delta"):
        octets = httpx.get(lab.crl(f"delta/{name}")).content
        (tmp_path / f"{name}.crl").write_bytes(octets)
        pems[name] = tmp_path / f"{name}.pem"
        tools.run("openssl", "crl", "-inform", "DER", "-in", tmp_path / f"{name}.crl", "-out", pems[name])
    (root,) = _downloaded(lab, lab.authority("delta"), tmp_path)
    alone: list[str | Path] = ["-CRLfile", root, "-CRLfile", pems["base"]]
    # Without -extended_crl it takes the delta CRL for a complete one.
    both = [*alone, "-CRLfile", pems["delta"], "-use_deltas", "-extended_crl"]
    assert "certificate revoked" in _verified(lab, "held", "-crl_check_all", *alone)
    assert ": OK" in _verified(lab, "held", "-crl_check_all", *both)
    assert ": OK" in _verified(lab, "bad-delta", "-crl_check_all", *alone)
    assert "certificate revoked" in _verified(lab, "bad-delta", "-crl_check_all", *both)
    assert ": OK" in _verified(lab, "good-delta", "-crl_check_all", *both)


def _ocsp_output(lab: Lab, kind: str, *options: str | Path) -> str:
    issuer = lab.authority(kind)
    command: list[str | Path] = ["openssl", "ocsp", "-CAfile", lab.trust, "-verify_other", issuer]
    command += [*options, "-issuer", issuer]
    for name in (f"good-{kind}", f"bad-{kind}"):
        command += ["-cert", lab.certificate(name)]
    return run_any(*command, "-serial", "0x4711", "-url", f"{lab.url}/ocsp")[1]


@pytest.mark.parametrize("kind", ["plain", "delegated", "named", "delta"])
@pytest.mark.parametrize("options", [(), ("-no_nonce",), ("-sha256",), ("-sha1",), ("-sha512",)], ids=str)
def test_several_certificates_are_in_one_request(kind: str, options: tuple[str, ...], lab: Lab) -> None:
    answer = _ocsp_output(lab, kind, *options)
    assert "Response verify OK" in answer
    assert f"{lab.certificate(f'good-{kind}')}: good" in answer
    assert f"{lab.certificate(f'bad-{kind}')}: revoked" in answer
    assert "Reason: superseded" in answer
    assert "0x4711: unknown" in answer
    assert "WARNING: no nonce" not in answer


@pytest.mark.parametrize(("name", "status"), [("good-plain", "good"), ("bad-plain", "revoked")])
def test_a_response_is_available_by_get(name: str, status: str, lab: Lab, tmp_path: Path) -> None:
    request, given = tmp_path / "request.der", tmp_path / "response.der"
    about = ("-issuer", lab.authority("plain"), "-cert", lab.certificate(name))
    tools.run("openssl", "ocsp", *about, "-no_nonce", "-reqout", request)
    written = quote(base64.b64encode(request.read_bytes()).decode(), safe="")
    tools.run("curl", "--silent", "--fail", "-o", given, f"{lab.url}/ocsp/{written}")
    command = ("openssl", "ocsp", "-respin", given, "-CAfile", lab.trust)
    _, output = run_any(*command, "-verify_other", lab.authority("plain"), *about)
    assert "Response verify OK" in output
    assert f": {status}" in output


def test_a_foreign_issuer_and_garbage_are_distinguished(lab: Lab, tmp_path: Path) -> None:
    about = ("-issuer", lab.certificate("good-plain"), "-cert", lab.certificate("good-delta"))
    _, foreign = run_any("openssl", "ocsp", *about, "-url", f"{lab.url}/ocsp")
    assert "unauthorized (6)" in foreign
    (tmp_path / "garbage").write_bytes(b"\x30\x80garbage")
    posted = ("--silent", "--data-binary", f"@{tmp_path / 'garbage'}", f"{lab.url}/ocsp")
    tools.run("curl", *posted, "-o", tmp_path / "answer.der")
    _, malformed = run_any("openssl", "ocsp", "-respin", tmp_path / "answer.der", *about)
    assert "malformedrequest (1)" in malformed
