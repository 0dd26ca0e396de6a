"""The suites among the shipped profiles: openssl reaches the verdicts that their documentation states."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pkigen import build, load, preview
from pkigen.environment.build.options import Action, BuildOptions
from pkigen.environment.environment import Environment
from pkigen.serve import serve_as_proxy
from tests.openssl import Judge
from tests.tools import run

pytestmark = pytest.mark.needs("openssl")

_REVOKED, _NO_CRL = "certificate revoked", "unable to get certificate CRL"
_EXPLICIT = "Certificate public key has explicit ECC parameters"
NDCPP = {
    "valid": "",
    "client": "",
    "client-purpose": "",
    "no-intermediate": "unable to get local issuer certificate",
    "no-anchor": "self[- ]signed certificate in certificate chain",
    "expired": "0 depth lookup: certificate has expired",
    "expired-ca": "1 depth lookup: certificate has expired",
    "revoked": f"0 depth lookup: {_REVOKED}",
    "revoked-ca": f"1 depth lookup: {_REVOKED}",
    "ocsp-signer-purpose": "",
    "crl-signer-usage": "key usage does not include CRL signing",
    "first-bytes": "(Could not|Unable to) (read|find|load) certificate",
    "last-bytes": "0 depth lookup: certificate signature failure",
    "public-key": "0 depth lookup: certificate signature failure",
    "explicit-curve": f"0 depth lookup: {_EXPLICIT}",
    "explicit-curve-ca": f"1 depth lookup: {_EXPLICIT}",
    "server-purpose": "",
    "ca-no-constraints": "1 depth lookup: invalid CA certificate",
    "ca-false": "1 depth lookup: invalid CA certificate",
    "status-unavailable": "",
}
"""What openssl reports with all CRLs in files, for the purpose of the certificate and without OCSP."""
DOWNLOADED = {
    "valid": f"2 depth lookup: {_NO_CRL}",  # of the root, which has no URL either
    "server": f"0 depth lookup: {_REVOKED}",
    "server-ocsp-unreachable": f"0 depth lookup: {_REVOKED}",
    "server-all-unreachable": f"0 depth lookup: {_NO_CRL}",
    "server-no-urls": f"0 depth lookup: {_NO_CRL}",
    "ca": f"1 depth lookup: {_REVOKED}",
    "ca-ocsp-unreachable": f"1 depth lookup: {_REVOKED}",
    "ca-all-unreachable": f"1 depth lookup: {_NO_CRL}",
    "ca-no-urls": f"1 depth lookup: {_NO_CRL}",
}
"""What openssl reports if it downloads the CRLs that the certificates name, and requires all of them."""


def _built(name: str, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(name, tmp_path_factory.mktemp(name))


@pytest.fixture(scope="module")
def ndcpp(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return _built("ndcpp", tmp_path_factory)


@pytest.fixture(scope="module")
def revoked(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return _built("revoked-intermediates", tmp_path_factory)


def _cases(environment: Environment) -> dict[str, dict[str, Any]]:
    return {case.name: case.data for case in environment.cases()}


def _downloading(environment: Environment, name: str) -> str:
    case, folder = environment[name], environment.folder
    command = ["openssl", "verify", "-crl_check_all", "-crl_download", "-CAfile", str(environment.trust)]
    with serve_as_proxy(folder) as proxy:
        variables = {**os.environ, "http_proxy": f"http://{proxy}", "no_proxy": ""}
        done = subprocess.run(
            [*command, "-untrusted", str(case.chain), str(case.certificate)],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
    return "" if done.returncode == 0 else done.stderr


def _ask_responder(environment: Environment, name: str, of: Path, issuer: Path) -> str:
    """What openssl says of the OCSP response about a certificate, from the URL in it."""
    url = run("openssl", "x509", "-noout", "-ocsp_uri", "-in", of).strip()
    with serve_as_proxy(environment.folder) as proxy:
        command = ["openssl", "ocsp", "-url", url, "-proxy", f"http://{proxy}"]
        files = ("-CAfile", environment.trust, "-issuer", issuer, "-cert", of, "-verify_other", issuer)
        done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
    return f"{name}: {done.stdout}{done.stderr}"


def _authority(environment: Environment, name: str) -> Path:
    return environment.folder / "authorities" / name / f"{name}.crt"


def test_openssl_has_the_verdict_of_each_test_of_the_protection_profile(ndcpp: Environment) -> None:
    cases, judge = _cases(ndcpp), Judge(ndcpp.folder)
    assert cases.keys() == NDCPP.keys()
    for name, expected in NDCPP.items():
        output = judge.verify(cases[name])
        assert re.search(expected, output), f"{name}: {output}"
        assert bool(output) is bool(expected), f"{name}: {output}"


@pytest.mark.parametrize(
    ("name", "purpose"), [("server-purpose", "sslserver"), ("client-purpose", "sslclient")]
)
def test_a_certificate_does_not_have_the_purpose_of_its_use(
    ndcpp: Environment, name: str, purpose: str
) -> None:
    case = ndcpp[name]
    command = ("openssl", "verify", "-CAfile", ndcpp.trust, "-untrusted", case.chain, "-purpose", purpose)
    done = subprocess.run(
        [*map(str, command), str(case.certificate)], capture_output=True, text=True, check=False
    )
    assert re.search("unsu(pported|itable) certificate purpose", done.stderr)


def test_the_responder_of_test_four_may_not_sign_responses(ndcpp: Environment) -> None:
    name = "ocsp-signer-purpose"
    issuer = _authority(ndcpp, ndcpp[name].data["issuer"])
    assert "missing ocspsigning usage" in _ask_responder(ndcpp, name, ndcpp[name].certificate, issuer)


def test_no_crl_can_be_downloaded_for_the_test_of_an_unavailable_status(ndcpp: Environment) -> None:
    assert f"0 depth lookup: {_NO_CRL}" in _downloading(ndcpp, "status-unavailable").replace("\n", " ")
    assert f"2 depth lookup: {_NO_CRL}" in _downloading(ndcpp, "valid")


@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_client_that_downloads_crls_has_the_documented_verdict(revoked: Environment, name: str) -> None:
    assert DOWNLOADED[name] in _downloading(revoked, name)


def test_the_manifest_of_a_revoked_path_expects_a_rejection(revoked: Environment) -> None:
    verdicts = {name: case["verdict"]["expected"] for name, case in _cases(revoked).items()}
    assert verdicts.keys() == DOWNLOADED.keys()
    assert verdicts == {name: "accept" if name == "valid" else "reject" for name in DOWNLOADED}


def test_the_responder_reports_the_revoked_server_and_the_revoked_ca(revoked: Environment) -> None:
    issuing, root = _authority(revoked, "issuing"), _authority(revoked, "root")
    own = _authority(revoked, revoked["ca"].data["issuer"])
    assert ": revoked" in _ask_responder(revoked, "server", revoked["server"].certificate, issuing)
    assert ": revoked" in _ask_responder(revoked, "ca", own, root)
    assert ": good" in _ask_responder(revoked, "valid", revoked["valid"].certificate, issuing)


def test_a_build_renews_what_is_in_the_last_third_of_its_validity(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    environment = build("renewal", tmp_path, BuildOptions(at=now))
    days = {"new": 47, "half-life": 24, "before-renewal": 17, "last-day": 1}
    for name, left in days.items():
        for day, code in ((left - 1, 0), (left + 1, 1)):
            command = ["openssl", "x509", "-noout", "-checkend", str(day * 86_400 - 7200)]
            done = subprocess.run(
                [*command, "-in", str(environment[name].certificate)], check=False, capture_output=True
            )
            assert done.returncode == code, (name, day)
    expected = {2: {"before-renewal", "last-day"}, 32: {"new", "half-life", "before-renewal", "last-day"}}
    for later, names in expected.items():
        options = BuildOptions(at=now + timedelta(days=later))
        changes = preview(load("renewal"), tmp_path, options).changes
        reissued = {one.id.partition("/")[2] for one in changes if one.action is Action.REISSUE}
        assert reissued == names, later
