"""Whatever a server does, a fetch ends in time, with the content or with an error."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from pkigen.inspection.path import http_fetch
from pkigen.inspection.path.http_fetch import FetchError, fetch, invalid_proxy
from tests.inspection.path.http_site import Site, running


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as running_site:
        running_site.files["/crl"] = b"octets"
        yield running_site


def test_the_content_is_that_of_the_response(site: Site) -> None:
    assert fetch(f"{site.url}/crl") == b"octets"
    assert fetch(f"{site.url}/crl".replace("http:", "HTTP:")) == b"octets"


def test_a_compressed_response_is_decompressed(site: Site) -> None:
    assert fetch(f"{site.url}/gzip") == b"squeezed"


def test_redirects_are_followed_up_to_their_limit(site: Site) -> None:
    assert fetch(f"{site.url}/hop/5") == b"octets"
    with pytest.raises(FetchError, match="more than 5 redirects"):
        fetch(f"{site.url}/hop/6")
    assert fetch(f"{site.url}/hop/1", redirects=1) == b"octets"
    with pytest.raises(FetchError, match="more than 0 redirects"):
        fetch(f"{site.url}/hop/1", redirects=0)


def test_a_loop_of_redirects_ends(site: Site) -> None:
    with pytest.raises(FetchError, match="more than 5 redirects"):
        fetch(f"{site.url}/loop")
    assert len(site.requests) == 6


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("https://127.0.0.1/crl", "https is not supported for CRLs"),
        ("ftp://127.0.0.1/crl", "only http is supported, not ftp"),
        ("file:///etc/hostname", "only http is supported, not file"),
        ("http://[broken/", "http://127"),
    ],
)
def test_a_redirect_to_another_scheme_is_not_followed(where: str, words: str, site: Site) -> None:
    with pytest.raises(FetchError, match=words):
        fetch(f"{site.url}/to?{where}")


def test_a_missing_page_is_reported_with_its_status(site: Site) -> None:
    with pytest.raises(FetchError, match=r"/none: HTTP 404$"):
        fetch(f"{site.url}/none")


def test_a_body_is_read_up_to_its_limit(site: Site) -> None:
    site.files["/ten"] = b"0123456789"
    assert fetch(f"{site.url}/ten", most=10) == b"0123456789"
    with pytest.raises(FetchError, match="more than 9 bytes"):
        fetch(f"{site.url}/ten", most=9)
    with pytest.raises(FetchError, match="more than 1,000,000 bytes"):
        fetch(f"{site.url}/endless", most=1_000_000)


@pytest.mark.parametrize("path", ["/drip", "/drip-headers", "/silent"])
def test_a_slow_server_is_abandoned_after_the_timeout(path: str, site: Site) -> None:
    start = time.monotonic()
    with pytest.raises(FetchError, match="it does not answer in time"):
        fetch(f"{site.url}{path}", timeout=0.2)
    assert time.monotonic() - start < 2


def test_a_connection_that_times_out_first_has_the_same_reason(site: Site) -> None:
    with pytest.raises(FetchError, match=r"/silent: it does not answer in time$"):
        http_fetch._fetch(f"{site.url}/silent", None, time.monotonic() + 0.1, 1000, 0)


def test_a_closed_port_is_reported() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(FetchError, match=rf"http://127.0.0.1:{port}/crl: Connection refused"):
            fetch(f"http://127.0.0.1:{port}/crl")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://127.0.0.1/crl", "https is not supported"),
        ("ldap:///CN=x?certificateRevocationList", "not ldap"),
        ("crl/root.crl", "not a relative URL"),
        ("", "not a relative URL"),
        ("http://", "http://"),
        ("http://[::1", "Invalid IPv6 URL"),
        ("http://127.0.0.1:99999/", "Port out of range"),
        ("http://127.0.0.1:port/", "port"),
        ("http://a\x00b/", "non-printable"),
        ("http://\udce9/", "http://"),
        (f"http://{'a' * 300}.test/", "the host name is invalid"),
    ],
)
def test_a_url_that_is_not_http_is_rejected_with_a_reason(url: str, words: str) -> None:
    with pytest.raises(FetchError, match=words) as refused:
        fetch(url, timeout=2)
    assert "Error" not in str(refused.value)


def test_a_proxy_gets_the_whole_url(site: Site) -> None:
    site.files["http://crl.test:8080/a.crl"] = b"by proxy"
    assert fetch("http://crl.test:8080/a.crl", proxy=site.url) == b"by proxy"
    with pytest.raises(FetchError, match="HTTP 404"):
        fetch("http://crl.test/b.crl", proxy=site.url)


def test_a_proxy_of_the_environment_variables_is_not_used(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running() as other:
        monkeypatch.setenv("HTTP_PROXY", other.url)
        monkeypatch.setenv("http_proxy", other.url)
        assert fetch(f"{site.url}/crl") == b"octets"
        assert other.requests == []


def test_a_redirect_uses_the_proxy(site: Site) -> None:
    site.redirects["http://crl.test/to"] = "http://other.test/a.crl"
    site.files["http://other.test/a.crl"] = b"by proxy"
    assert fetch("http://crl.test/to", proxy=site.url) == b"by proxy"


@pytest.mark.parametrize(
    "proxy",
    ["", "127.0.0.1:3128", "socks5://127.0.0.1:1080", "https://p.test", "http://", "http://p:x", "//p"],
)
def test_a_proxy_that_is_not_http_is_rejected_with_a_reason(proxy: str) -> None:
    words = f"the proxy '{proxy}' is not an http URL such as http://127.0.0.1:3128"
    assert invalid_proxy(proxy) == words
    with pytest.raises(FetchError) as refused:
        fetch("http://crl.test/", proxy=proxy)
    assert str(refused.value) == words


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:3128", "HTTP://user:word@p.test", "http://p.test/"])
def test_a_proxy_that_is_http_is_not_rejected(proxy: str) -> None:
    assert invalid_proxy(proxy) == ""


def test_an_unexpected_exception_is_raised_in_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(http_fetch, "_fetch", fail)
    with pytest.raises(KeyError):
        fetch("http://crl.test/")


def test_no_thread_remains_after_a_fetch(site: Site) -> None:
    fetch(f"{site.url}/crl")
    for thread in threading.enumerate():
        if thread.name == "fetch":
            thread.join(5)
            assert not thread.is_alive()
