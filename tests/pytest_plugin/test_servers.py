"""One HTTP stub for several processes: the serving process waits for the others."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pkigen import Environment, build
from pkigen.errors import EnvironmentFailure
from pkigen.pytest_plugin import servers
from pkigen.pytest_plugin.locks import is_locked
from pkigen.pytest_plugin.servers import Servers, choose_base_url

_USER = """
import sys
from pathlib import Path
from pkigen import open_environment
from pkigen.pytest_plugin.servers import Servers

environment, state = map(Path, sys.argv[1:])
servers = Servers(state, shared=True)
print(servers.of(open_environment(environment)).url, flush=True)
sys.stdin.readline()
servers.close()
"""


@pytest.fixture
def served(tmp_path: Path) -> Environment:
    profile = {
        "name": "shared",
        "base_url": choose_base_url(tmp_path / "shared"),
        "authorities": {"root": {"key": "ec-p256"}},
        "certificates": {"one": {"issuer": "root", "key": "ec-p256"}},
    }
    return build(profile, tmp_path)


@pytest.fixture
def another(served: Environment, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the same servers until it is stopped."""
    command = [sys.executable, "-c", _USER, str(served.folder), str(tmp_path / "state")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def _url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/crl/root.crl", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("killed", [False, True])
def test_the_first_process_serves_until_the_others_have_ended(
    served: Environment,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    killed: bool,
) -> None:
    own = Servers(tmp_path / "state", shared=True)
    url = own.of(served).url
    process: subprocess.Popen[str] = request.getfixturevalue("another")
    assert _url_of(process) == url == served.manifest["base_url"]
    answered = []

    def waiting(folder: Path, patience: float = 0.0) -> bool:
        if patience:
            answered.append(_answers(url))
            process.kill() if killed else process.communicate("\n")
        return is_locked(folder, patience)

    monkeypatch.setattr(servers, "is_locked", waiting)
    own.close()
    assert answered == [True]
    assert not _answers(url)


def test_a_process_without_a_running_server_serves(
    served: Environment, tmp_path: Path, another: subprocess.Popen[str]
) -> None:
    url = _url_of(another)
    another.kill()
    another.wait()
    own = Servers(tmp_path / "state", shared=True)
    assert own.of(served).url == url
    assert _answers(url)
    own.close()
    assert not _answers(url)


@pytest.mark.parametrize("shared", [False, True])
def test_a_used_port_is_reported(served: Environment, tmp_path: Path, shared: bool) -> None:
    port = int(served.manifest["base_url"].rpartition(":")[2])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        own = Servers(tmp_path / "state", shared=shared)
        with pytest.raises(EnvironmentFailure, match="pki_base_url names another address"):
            own.of(served)
        own.close()


def test_an_environment_is_served_on_its_previous_port_if_it_is_free(served: Environment) -> None:
    url = served.manifest["base_url"]
    assert choose_base_url(served.folder) == url
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(url.rpartition(":")[2])))
        taken.listen()
        assert choose_base_url(served.folder) != url
