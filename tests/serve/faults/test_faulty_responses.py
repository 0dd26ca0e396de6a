"""What a fault wants of the server arrives at a client as it is meant, and nothing else changes."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS
from pkigen.serve import serve
from tests.faults.conftest import PROFILE
from tests.openssl import with_new_names

SERVED = [
    one.id for one in FAULTS.values() if one.stage == "transport" and one.family in ("access", "crl", "ocsp")
]
FAULTS_OF_SERVER = [
    *(one for one in SERVED if one != "crl-oversize"),
    {"crl-oversize": {"kilobytes": 500}},
    *("ocsp-good", "ocsp-revoked"),
]
PROFILE_OF_SERVED = {
    **PROFILE,
    "base_url": "http://pki.test/lab",
    "negatives": [{"of": "sensor", "faults": [*FAULTS_OF_SERVER]}],
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(PROFILE_OF_SERVED, tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def url(environment: Environment) -> Iterator[str]:
    with serve(environment.folder) as url:
        yield url


def _address(environment: Environment, url: str, fault: str) -> str:
    """Where the stub is asked for what a fault spoils."""
    (case,) = (one.data for one in environment.cases() if one.name == f"sensor.{fault}")
    urls = [one["url"] for one in case["serving"] if one["url"] != "tls"] or [case["ocsp"]["url"]]
    return url + urlsplit(str(urls[0])).path


def _published(environment: Environment, address: str) -> bytes:
    return (environment.www / urlsplit(address).path.removeprefix("/lab/")).read_bytes()


@pytest.mark.parametrize(
    ("fault", "status"),
    [("crl-http-404", 404), ("crl-http-500", 500), ("ocsp-http-404", 404), ("ocsp-http-500", 500)],
)
def test_a_client_receives_the_status(fault: str, status: int, environment: Environment, url: str) -> None:
    assert httpx.get(_address(environment, url, fault)).status_code == status


def test_a_redirect_leads_to_the_crl_and_a_loop_does_not(environment: Environment, url: str) -> None:
    address = _address(environment, url, "crl-redirect")
    answer = httpx.get(address, follow_redirects=True)
    assert (len(answer.history), answer.content) == (1, _published(environment, address))
    for fault in ("crl-redirect-loop", "aia-returns-loop"):
        with pytest.raises(httpx.TooManyRedirects):
            httpx.get(_address(environment, url, fault), follow_redirects=True)


def test_a_body_ends_too_early(environment: Environment, url: str) -> None:
    address = _address(environment, url, "crl-truncated-body")
    with httpx.stream("GET", address) as answer, pytest.raises(httpx.RemoteProtocolError):
        answer.read()
    assert int(answer.headers["Content-Length"]) == len(_published(environment, address))


def test_a_connection_is_reset(environment: Environment, url: str) -> None:
    with pytest.raises(httpx.ReadError):
        httpx.get(_address(environment, url, "crl-reset"))


def test_bytes_arrive_one_by_one(environment: Environment, url: str) -> None:
    for fault in ("crl-slow", "ocsp-slow"):
        with httpx.stream("GET", _address(environment, url, fault)) as answer:
            first = next(answer.iter_raw())
        assert len(first) == 1, fault


def test_other_requests_are_answered_during_a_slow_response(environment: Environment, url: str) -> None:
    with httpx.stream("GET", _address(environment, url, "crl-slow")) as answer:
        next(answer.iter_raw())
        assert httpx.get(f"{url}/healthz").text == "ok\n"


@pytest.mark.needs("openssl")
def test_a_large_crl_is_signed_and_has_its_entries(
    environment: Environment, url: str, tmp_path: Path
) -> None:
    """Every client reads it as one CRL of the issuing CA: openssl verifies the signature and lists it."""
    address, crl, issuer = (
        _address(environment, url, "crl-oversize"),
        tmp_path / "large.crl",
        tmp_path / "ca.pem",
    )
    crl.write_bytes(httpx.get(address).content)
    assert 499_900 < crl.stat().st_size < 500_100
    (case,) = (one for one in environment.cases() if one.name == "sensor.crl-oversize")
    issuer.write_bytes(case.chain.read_bytes())
    command = ("openssl", "crl", "-inform", "DER", "-in", crl, "-CAfile", issuer, "-text", "-noout")
    read = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "verify OK" in read.stderr
    # An entry has 35 bytes, the rest of the CRL a few hundred.
    assert 14_250 < read.stdout.count("Serial Number: 6E6F20636572746966696361") < 500_000 // 35


def test_a_body_is_a_thousand_times_too_large(environment: Environment, url: str) -> None:
    address = _address(environment, url, "crl-repeated")
    assert httpx.get(address).content == _published(environment, address) * 1000


@pytest.mark.parametrize(
    ("fault", "media_type"),
    [("crl-wrong-content-type", "text/plain"), ("crl-html", "text/html; charset=utf-8")],
)
def test_a_response_has_another_media_type(
    fault: str, media_type: str, environment: Environment, url: str
) -> None:
    address = _address(environment, url, fault)
    answer = httpx.get(address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
    assert (answer.content == _published(environment, address)) is (fault == "crl-wrong-content-type")


@pytest.mark.needs("openssl")
def test_the_url_of_a_ca_gives_pem_or_the_leaf(environment: Environment, url: str, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(httpx.get(_address(environment, url, "aia-returns-pem")).content)
    _openssl("x509", "-noout", "-in", str(tmp_path / "ca.pem"))
    (tmp_path / "leaf.der").write_bytes(httpx.get(_address(environment, url, "aia-returns-leaf")).content)
    subject = _openssl("x509", "-inform", "DER", "-noout", "-subject", "-in", str(tmp_path / "leaf.der"))
    assert "CN=aia-returns-leaf.sensor.contoso.test" in with_new_names(subject)


def _openssl(*command: str) -> str:
    return subprocess.run(["openssl", *command], capture_output=True, text=True, check=True).stdout


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(("fault", "message"), [("ocsp-good", ": good"), ("ocsp-revoked", ": revoked")])
def test_openssl_gets_the_response_of_the_case_by_post(
    fault: str, message: str, environment: Environment, url: str
) -> None:
    certificate = environment.folder / f"certificates/sensor.{fault}/sensor.{fault}.crt"
    issuer = environment.folder / "authorities/issuing/issuing.crt"
    command = ["ocsp", "-url", _address(environment, url, fault), "-issuer", str(issuer)]
    command += ["-cert", str(certificate), "-CAfile", str(environment.trust), "-no_nonce"]
    assert message in _openssl(*command)


def test_a_get_request_is_answered(environment: Environment, url: str) -> None:
    address = _address(environment, url, "ocsp-good")
    assert httpx.get(f"{address}/MEIwQDA%2BMDwwOjAJ").content == httpx.get(address).content
    assert httpx.get(address).headers["Content-Type"] == "application/ocsp-response"
    assert httpx.get(address.replace("ocsp-good", "nobody")).status_code == 404


def test_urls_without_a_fault_are_served_unchanged(environment: Environment, url: str) -> None:
    answer = httpx.get(f"{url}/crl/issuing.crl")
    assert answer.content == (environment.www / "crl/issuing.crl").read_bytes()
    assert httpx.get(f"{url}/moved/crl/issuing.crl").content == answer.content
    assert httpx.get(f"{url}/moved/../manifest.json").status_code == 404


def test_a_build_takes_effect_at_the_next_request(tmp_path: Path) -> None:
    folder = build({**PROFILE, "negatives": []}, tmp_path).folder
    with serve(folder) as url:
        assert httpx.get(f"{url}/crl/issuing.sensor.crl-http-500.crl").status_code == 404
        build({**PROFILE, "negatives": [{"of": "sensor", "faults": ["crl-http-500"]}]}, tmp_path)
        assert httpx.get(f"{url}/crl/issuing.sensor.crl-http-500.crl").status_code == 500


def test_the_server_continues_after_aborted_connections(environment: Environment, url: str) -> None:
    parts = urlsplit(url)
    for _ in range(5):
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
            path = urlsplit(_address(environment, url, "crl-slow")).path
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert connection.recv(1)
    assert httpx.get(f"{url}/healthz").status_code == 200
