"""``pkigen serve``: the URL on stdout, the log on stderr, an end on either signal."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, finish, start
from tests.serve.conftest import CRL, make_environment


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return make_environment(tmp_path / "contoso", "http://pki.contoso.test:8080")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_logs_what_it_does_and_ends_clean(
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


def test_the_url_alone_is_the_output_for_people(environment: Path) -> None:
    process = start("serve", environment, "--port", "0")
    assert process.stdout is not None
    assert process.stdout.readline().decode().startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    outcome = finish(process)
    assert (outcome.code, outcome.out) == (0, "")
    assert "URLs below http://pki.contoso.test:8080: clients must reach this server there" in outcome.err


def test_a_taken_port_is_told(cli: Cli, environment: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = cli("serve", environment, "--port", port)
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.startswith(f"cannot listen on 127.0.0.1 port {port}: another program has it")


def test_a_folder_that_is_no_environment_is_told(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("serve", tmp_path)
    assert (outcome.code, outcome.out) == (2, "")
    assert "not a built environment" in outcome.err
