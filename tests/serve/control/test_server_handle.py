"""Faults of the service arrive at the URLs of sound authorities, for as long as they are there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.errors import InputError
from pkigen.plan.service_faults import service_faults
from pkigen.serve import serve_controlled
from pkigen.serve.control.handle import ServerHandle
from tests.serve.controlled_profile import PROFILE


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(PROFILE, tmp_path_factory.mktemp("controlled"))


@pytest.fixture(scope="module")
def running(environment: Environment) -> Iterator[ServerHandle]:
    with serve_controlled(environment.folder) as running:
        yield running


@pytest.fixture
def stub(running: ServerHandle) -> Iterator[ServerHandle]:
    yield running
    running.clear()


def _crl(environment: Environment, name: str = "issuing") -> bytes:
    return (environment.www / f"crl/{name}.crl").read_bytes()


def _last(stub: ServerHandle) -> int:
    return max((one.number for one in stub.requests()), default=0)


@pytest.mark.parametrize("place", [{"of": "issuing"}, {"url": "/crl/issuing.crl"}, {"url": "/lab/crl"}, {}])
def test_a_fault_applies_from_the_next_request_until_it_is_removed(
    place: dict[str, str], stub: ServerHandle, environment: Environment
) -> None:
    for path in ("/crl/issuing.crl", "/lab/crl/issuing.crl"):
        assert httpx.get(stub.url + path).content == _crl(environment)
        stub.fault(id="crl-http-500", **place)
        assert httpx.get(stub.url + path).status_code == 500
        stub.clear(**place)
        assert httpx.get(stub.url + path).content == _crl(environment)


def test_a_fault_applies_only_to_its_urls(stub: ServerHandle, environment: Environment) -> None:
    stub.fault(of="issuing", id="crl-http-500")
    assert httpx.get(f"{stub.url}/crl/other.crl").content == _crl(environment, "other")
    assert httpx.get(f"{stub.url}/ca/issuing.crt").status_code == 200
    stub.fault(of="issuing", id="aia-returns-404")
    assert httpx.get(f"{stub.url}/ca/issuing.crt").status_code == 404
    assert httpx.get(f"{stub.url}/ca/other.crt").status_code == 200


def test_a_second_fault_replaces_the_first(stub: ServerHandle) -> None:
    stub.fault(of="issuing", id="crl-http-500")
    stub.fault(of="issuing", id="crl-http-404")
    assert httpx.get(f"{stub.url}/crl/issuing.crl").status_code == 404
    stub.clear(of="issuing")
    assert httpx.get(f"{stub.url}/crl/issuing.crl").status_code == 200


def test_the_most_specific_fault_of_a_url_applies(stub: ServerHandle) -> None:
    stub.fault(url="/crl/issuing.crl", id="crl-http-404")
    stub.fault(url="/", id="crl-http-500")
    assert httpx.get(f"{stub.url}/crl/issuing.crl").status_code == 404
    assert httpx.get(f"{stub.url}/healthz").status_code == 500


def test_a_case_keeps_its_own_fault(stub: ServerHandle, environment: Environment) -> None:
    stub.fault(id="crl-http-500")
    own = f"{stub.url}/lab/crl/issuing.sensor"
    assert httpx.get(f"{own}.crl-http-404.crl").status_code == 404
    assert httpx.get(f"{own}.crl-stale.crl").content == _crl(environment, "issuing.sensor.crl-stale")
    assert httpx.get(f"{stub.url}/lab/ocsp/sensor.ocsp-status-try-later").status_code == 200
    assert httpx.get(f"{stub.url}/lab/crl/issuing.crl").status_code == 500


def test_a_fault_applies_to_conditional_requests(stub: ServerHandle) -> None:
    address = f"{stub.url}/crl/issuing.crl"
    tag = httpx.get(address).headers["ETag"]
    stub.fault(of="issuing", id="crl-oversize")
    answer = httpx.get(address, headers={"If-None-Match": tag}, timeout=60)  # it is large
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "ETag" not in answer.headers


def test_a_slow_response_is_late_and_delays_no_other(stub: ServerHandle) -> None:
    stub.fault(of="issuing", id="crl-slow-start")
    last = _last(stub)
    with httpx.Client(timeout=0.5) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"{stub.url}/crl/issuing.crl")
        assert httpx.get(f"{stub.url}/healthz").text == "ok\n"
    seen = stub.requests(since=last, wait=10)
    if len(seen) < 2:
        seen += stub.requests(since=seen[-1].number, wait=10)
    late = next(one for one in seen if one.path == "/crl/issuing.crl")
    assert (late.status, late.fault) == (0, "crl-slow-start")


def test_a_tls_port_answers_http_with_an_alert(stub: ServerHandle) -> None:
    stub.fault(id="crl-https-only")
    parts = urlsplit(stub.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(b"GET /crl/issuing.crl HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(100) == bytes.fromhex("15 0303 0002 02 0a")
        assert connection.recv(100) == b""
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{stub.url}/crl/issuing.crl")


def test_a_port_can_be_closed_and_opened_repeatedly(stub: ServerHandle) -> None:
    with httpx.Client() as client:
        for _ in range(3):
            assert client.get(f"{stub.url}/healthz").status_code == 200
            stub.fault(id="cdp-unreachable")
            with pytest.raises(httpx.ConnectError):
                client.get(f"{stub.url}/healthz")
            stub.clear()
        assert client.get(f"{stub.url}/healthz").status_code == 200


def test_a_server_with_a_closed_port_ends_and_frees_it(environment: Environment) -> None:
    with serve_controlled(environment.folder) as stub:
        stub.fault(id="cdp-unreachable")
    port = urlsplit(stub.url).port or 0
    with serve_controlled(environment.folder, port=port) as stub:
        assert httpx.get(f"{stub.url}/healthz").status_code == 200


def test_requests_can_be_awaited(stub: ServerHandle) -> None:
    last = _last(stub)
    assert stub.requests(since=last) == []
    stub.fault(of="issuing", id="crl-http-404")
    httpx.get(f"{stub.url}/crl/issuing.crl?x=1")
    (seen,) = stub.requests(since=last, wait=10)
    assert (seen.number, seen.method, seen.path) == (last + 1, "GET", "/crl/issuing.crl?x=1")
    assert (seen.status, seen.fault) == (404, "crl-http-404")


def test_new_crls_can_be_published(stub: ServerHandle, environment: Environment) -> None:
    before = _crl(environment), _crl(environment, "other")
    stub.refresh("issuing")
    assert _crl(environment) != before[0]
    assert _crl(environment, "other") == before[1]
    assert httpx.get(f"{stub.url}/crl/issuing.crl").content == _crl(environment)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"id": "crl-stael", "of": "issuing"}, "did you mean 'crl-stale'"),
        ({"id": "expired", "of": "issuing"}, "is about a certificate"),
        ({"id": "revoked", "of": "issuing"}, "is about a certificate"),
        ({"id": "tls-no-certificate"}, "is about a certificate"),
        ({"id": "stapled-missing", "of": "issuing"}, "is about a certificate"),
        ({"id": "crl/*", "of": "issuing"}, "faults; specify exactly one"),
        ({"id": "crl-stale", "of": "isuing"}, "did you mean 'issuing'"),
        ({"id": "crl-stale", "of": "issuing.sensor.crl-stale"}, "belongs to a case"),
        ({"id": "crl-stale", "of": "issuing", "by": "soon"}, "the parameter 'by' of 'crl-stale'"),
        ({"id": "crl-stale", "of": "issuing", "url": "/crl/issuing.crl"}, "specify only one of 'of'"),
        ({"id": "crl-stale"}, "is a fault of CRLs"),
        ({"id": "crl-stale", "url": "/ca/issuing.crt"}, "is a fault of CRLs"),
        ({"id": "ocsp-stale", "url": "/crl/issuing.crl"}, "is a fault of OCSP"),
        ({"id": "aia-returns-leaf", "url": "/ca"}, "is a fault of CA certificates"),
        ({"id": "crl-http-404", "url": "/crl/isuing.crl"}, "did you mean '/crl/issuing.crl'"),
        ({"id": "crl-http-404", "url": "http://elsewhere.test/crl/issuing.crl"}, "is not below"),
        ({"id": "crl-md5", "of": "issuing"}, "another kind of key"),
        ({"id": "cdp-unreachable", "of": "issuing"}, "remove 'of'"),
        ({"id": "cdp-unreachable", "url": "/crl"}, "remove 'url'"),
    ],
)
def test_an_impossible_fault_is_rejected_with_a_reason(
    arguments: dict[str, str], words: str, stub: ServerHandle
) -> None:
    with pytest.raises(InputError) as refused:
        stub.fault(**arguments)
    assert words in str(refused.value)


def test_the_catalog_has_the_faults_of_a_service() -> None:
    known = service_faults()
    assert len(known) >= 100
    assert {"crl", "ca", "ocsp", "port"} == set(known.values())
