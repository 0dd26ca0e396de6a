"""The proxy leads to the CRL server, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from pkigen.lab.crl_server import proxy
from pkigen.serve.http.server import background, listen
from tests.inspection.path.http_site import Site, running

BASE = "http://crl.contoso.test:8085"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running() as server:
        server.files["/crl/ot%20issuing.crl"] = b"octets"
        yield server


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[httpx.Client]:
    with (
        listen("127.0.0.1", 0) as listener,
        background(proxy(BASE, site.url), listener),
        httpx.Client(proxy=listener.url, trust_env=False) as client,
    ):
        yield client


def test_a_url_below_the_base_is_forwarded_unmodified(client: httpx.Client) -> None:
    for base in (BASE, BASE.upper().replace("HTTP", "http")):
        answer = client.get(f"{base}/crl/ot%20issuing.crl")
        assert (answer.status_code, answer.content) == (200, b"octets")
        assert answer.headers["content-type"] == "application/pkix-crl"


def test_a_missing_file_is_404(client: httpx.Client) -> None:
    answer = client.get(f"{BASE}/none.crl")
    assert answer.status_code == 502
    assert "HTTP 404" in answer.text


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/crl", "http://crl.contoso.test/crl", "http://crl.contoso.test:8085.evil.test/"],
)
def test_the_crl_server_forwards_no_other_url(url: str, client: httpx.Client, site: Site) -> None:
    before = list(site.requests)
    try:
        assert client.get(url).status_code == 403
    except httpx.InvalidURL:
        return
    assert site.requests == before


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_crl_server_allows_only_get(method: str, client: httpx.Client, site: Site) -> None:
    before = list(site.requests)
    assert client.request(method, f"{BASE}/crl").status_code == 405
    assert site.requests == before
