"""``pkigen serve``: the URL on stdout, the log on stderr, an end on either signal."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from pkigen import build
from pkigen.cli.serve import _forwarding, _http_listener
from pkigen.serve.http import server
from tests.cli.conftest import Cli, finish, start
from tests.serve.conftest import CRL, make_environment


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return make_environment(tmp_path / "contoso", "http://pki.contoso.test:8080")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_its_url_logs_requests_and_ends_cleanly(
    environment: Path, ending: signal.Signals
) -> None:
    process = start("serve", environment, "--port", "0", "--json")
    assert process.stdout is not None
    announced = json.loads(process.stdout.readline())
    url = announced["url"]
    assert url == f"http://{announced['host']}:{announced['port']}"
    with urllib.request.urlopen(f"{url}/crl/root.crl") as answer:  # noqa: S310  our own URL
        assert answer.read() == CRL
    process.send_signal(ending)
    outcome = finish(process)
    assert (outcome.code, outcome.out) == (0, "")
    assert '"GET /crl/root.crl HTTP/1.1" 200' in outcome.err
    assert outcome.err.splitlines()[-1] == "Stopped."
    assert "Traceback" not in outcome.err


def test_only_the_url_is_on_stdout(environment: Path) -> None:
    process = start("serve", environment, "--port", "0")
    assert process.stdout is not None
    assert process.stdout.readline().decode().startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    outcome = finish(process)
    assert (outcome.code, outcome.out) == (0, "")
    assert "URLs below http://pki.contoso.test:8080, but this server is at http://127.0.0.1:" in outcome.err
    assert "use --port 8080" in outcome.err


def test_the_default_port_and_path_are_those_of_the_base_url(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        base_url = f"http://127.0.0.1:{free.getsockname()[1]}/pki"
    process = start("serve", make_environment(tmp_path / "contoso", base_url))
    assert process.stdout is not None
    assert base_url.startswith(process.stdout.readline().decode().strip())
    with urllib.request.urlopen(f"{base_url}/crl/root.crl") as answer:  # noqa: S310  our own URL
        assert answer.read() == CRL
    process.send_signal(signal.SIGTERM)
    assert "Warning" not in finish(process).err


@pytest.mark.parametrize(("base_port", "attempts"), [(80, [80, 8080]), (None, [8080]), (8090, [8090])])
def test_a_port_that_is_not_permitted_is_replaced_by_8080(
    monkeypatch: pytest.MonkeyPatch, base_port: int | None, attempts: list[int]
) -> None:
    ports = []

    @contextmanager
    def listen(host: str, port: int) -> Iterator[int]:
        ports.append(port)
        if port < 1024:
            raise server.PortNotPermitted("not permitted")
        yield port

    monkeypatch.setattr(server, "listen", listen)
    with ExitStack() as stack:
        assert _http_listener(stack, "127.0.0.1", None, base_port) == attempts[-1]  # type: ignore[comparison-overlap]
    assert ports == attempts


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("http://127.0.0.1:{port}/pki", ""),
        ("http://localhost:{port}", ""),
        ("http://pki.test:{port}", "clients must reach this server there"),
        ("http://pki.test", "Forward with a proxy or NAT, or use --port 80."),
        ("https://pki.test:{port}", "Forward with a TLS proxy."),
    ],
)
def test_a_mismatch_with_the_base_url_is_reported_with_both_urls(base_url: str, words: str) -> None:
    with server.listen("127.0.0.1", 0) as listener:
        notice = _forwarding(base_url.format(port=listener.port), listener)
        assert words in notice
        assert bool(words) == bool(notice)
        assert not notice.startswith("Warning") or listener.url in notice


LOCKED = """\
name: locked
authorities:
  root: {key: ec-p256, crl: {valid: 7d}}
  issuing: {issuer: root, key: ec-p256, passphrase: open sesame, crl: {valid: 7d}, ocsp: {}}
  delegating: {issuer: root, key: ec-p256, ocsp: {responder: responder}}
certificates:
  responder: {issuer: delegating, extended_key_usage: [OCSPSigning], key: ec-p256, passphrase: open sesame}
"""


def test_keys_that_no_passphrase_decrypts_are_named_at_the_start(tmp_path: Path) -> None:
    folder = build(yaml.safe_load(LOCKED), tmp_path / "out").folder
    passphrase = tmp_path / "passphrase.txt"
    passphrase.write_text("open sesame\n", "utf-8")
    warnings = []
    decrypting: list[str | Path] = ["--passphrase-file", passphrase]
    for options in ([], decrypting):
        process = start("serve", folder, "--port", "0", *options)
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        warnings.append([line for line in finish(process).err.splitlines() if "is encrypted" in line])
    first, second = warnings
    assert [line.partition("this server ")[2] for line in first] == [
        "does not refresh the CRL of issuing.",
        "answers OCSP requests about certificates of issuing with 'unauthorized'.",
        "answers OCSP requests about certificates of delegating with 'unauthorized'.",
    ]
    assert "the key of responder is encrypted" in first[2]
    assert second == []


def test_a_used_port_is_reported(cli: Cli, environment: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = cli("serve", environment, "--port", port)
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.startswith(f"cannot listen on 127.0.0.1 port {port}: another program uses the port")


def test_a_directory_that_is_no_environment_is_reported(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("serve", tmp_path)
    assert (outcome.code, outcome.out) == (2, "")
    assert "not a built environment" in outcome.err
