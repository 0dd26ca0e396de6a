"""The control API: what it does, and whom it does nothing for."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkigen import build
from pkigen.environment.environment import Environment, open_environment
from pkigen.errors import EnvironmentFailure
from pkigen.serve.control.api import FILE, controlled
from pkigen.serve.control.runtime_faults import RuntimeFaults
from pkigen.serve.http.app import application
from pkigen.serve.http.server import background, listen
from tests import hostile_json
from tests.serve.controlled_profile import PROFILE
from tests.tools import run


@cache
def _client() -> httpx.Client:
    """Return one client for all requests: each new one would load the system's CA certificates."""
    return httpx.Client(timeout=40, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


@dataclass(frozen=True)
class Control:
    """A server at ``url`` with its control API at ``api``."""

    folder: Path
    url: str
    api: str
    token: str
    messages: list[str]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        content = body if body is None or isinstance(body, bytes) else json.dumps(body)
        return _client().request(method, self.api + path, content=content, headers=sent)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(PROFILE, tmp_path_factory.mktemp("control"))


@pytest.fixture(scope="module")
def running(environment: Environment) -> Iterator[Control]:
    live, messages, folder = RuntimeFaults(environment.folder), list[str](), environment.folder
    app = application(open_environment(folder), live=live)
    with (
        listen("127.0.0.1", 0) as listener,
        background(app, listener, live.port_switch),
        controlled(folder, live, 0, messages.append),
    ):
        announced = json.loads((folder / FILE).read_bytes())
        yield Control(folder, listener.url, announced["url"], announced["token"], messages)
    assert not (folder / FILE).exists()


@pytest.fixture
def control(running: Control) -> Iterator[Control]:
    yield running
    assert running.ask("DELETE", "/faults").status_code == 200


def test_the_token_file_is_private_and_the_output_has_no_token(control: Control) -> None:
    assert stat.S_IMODE((control.folder / FILE).stat().st_mode) == 0o600
    assert any(control.api in words for words in control.messages)
    assert all(control.token not in words for words in control.messages)


def test_a_fault_is_set_listed_and_removed(control: Control) -> None:
    assert control.ask("GET", "/faults").json() == {"faults": []}
    put = control.ask("PUT", "/faults", {"of": "issuing", "fault": "crl-http-500"})
    assert (put.status_code, put.json()["paths"]) == (200, ["/crl/issuing.crl"])
    assert httpx.get(f"{control.url}/crl/issuing.crl").status_code == 500
    (seen,) = control.ask("GET", "/faults").json()["faults"]
    assert (seen["of"], seen["fault"], seen["source"]) == ("issuing", "crl-http-500", "live")
    gone = control.ask("DELETE", "/faults", {"of": "issuing"}).json()["cleared"]
    assert [one["fault"] for one in gone] == ["crl-http-500"]
    assert httpx.get(f"{control.url}/crl/issuing.crl").status_code == 200


def test_a_fault_has_its_parameters_and_its_url(control: Control) -> None:
    body = {"url": "/crl/issuing.crl", "fault": {"crl-stale": {"by": "3d"}}}
    put = control.ask("PUT", "/faults", body).json()
    assert (put["url"], put["fault"], put["arguments"]) == ("/crl/issuing.crl", "crl-stale", {"by": "3d"})
    assert len(control.ask("DELETE", "/faults", {"url": "/crl/issuing.crl"}).json()["cleared"]) == 1


def test_the_api_closes_and_opens_the_port(control: Control) -> None:
    control.ask("PUT", "/faults", {"fault": "cdp-unreachable"})
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{control.url}/healthz")
    control.ask("DELETE", "/faults")
    assert httpx.get(f"{control.url}/healthz").status_code == 200


def test_new_crls_are_published(control: Control) -> None:
    (done,) = control.ask("POST", "/refresh", {"of": "issuing"}).json()["crls"]
    assert done["of"] == "issuing"
    assert {one["of"] for one in control.ask("POST", "/refresh").json()["crls"]} >= {"root", "other"}
    assert control.ask("POST", "/refresh", {"of": "nobody"}).status_code == 422


def test_a_test_waits_until_a_client_has_fetched_the_crl(control: Control) -> None:
    last = control.ask("GET", "/requests").json()["last"]
    assert control.ask("GET", f"/requests?since={last}").json() == {"requests": [], "last": last}
    control.ask("PUT", "/faults", {"of": "issuing", "fault": "crl-http-404"})
    fetching = threading.Timer(0.2, httpx.get, [f"{control.url}/crl/issuing.crl"])
    fetching.start()
    answer = control.ask("GET", f"/requests?since={last}&wait=30").json()
    fetching.join()
    (seen,) = answer["requests"]
    assert (seen["method"], seen["path"], seen["status"]) == ("GET", "/crl/issuing.crl", 404)
    assert (seen["fault"], answer["last"]) == ("crl-http-404", last + 1)
    assert seen["time"].endswith("Z")


def test_the_last_thousand_requests_are_listed(control: Control) -> None:
    with httpx.Client() as client:
        for _ in range(1001):
            client.get(f"{control.url}/healthz")
    requests = control.ask("GET", "/requests").json()["requests"]
    assert len(requests) == 1000
    assert [one["number"] for one in requests] == list(
        range(requests[0]["number"], requests[0]["number"] + 1000)
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("PUT", "/faults", {"of": "issuing"}, 422, "'fault' is missing"),
        ("PUT", "/faults", {"of": 1, "fault": "crl-slow"}, 422, "'of' must be a non-empty string"),
        ("PUT", "/faults", {"of": "", "fault": "crl-slow"}, 422, "'of' must be a non-empty string"),
        ("PUT", "/faults", {"of": "issuing", "fault": 1}, 422, "a fault must be an ID"),
        ("PUT", "/faults", {"of": "issuing", "fault": "crl-slwo"}, 422, "did you mean 'crl-slow'"),
        ("PUT", "/faults", {"authority": "issuing", "fault": "crl-slow"}, 422, "unknown key 'authority'"),
        ("PUT", "/faults", b"{", 400, "not JSON"),
        ("PUT", "/faults", b"[" * 16000, 400, "not JSON"),
        ("PUT", "/faults", b"\xff\xfe", 400, "not JSON"),
        ("PUT", "/faults", [], 400, "must be a JSON object"),
        ("PUT", "/faults", b" " * 17000, 413, "larger than 16 KiB"),
        ("PUT", "/faults", b" " * 2_000_000, 413, ""),
        ("DELETE", "/faults", {"fault": "crl-slow"}, 422, "unknown key 'fault'"),
        ("GET", "/requests?since=-1", None, 422, "'since' must be"),
        ("GET", "/requests?wait=nan", None, 422, "'wait' must be"),
        ("GET", "/requests?until=1", None, 422, "unknown parameter 'until'"),
        ("POST", "/faults", {}, 405, "POST is not allowed here"),
        ("GET", "/", None, 404, "the resources are /faults"),
        ("GET", "/crl/issuing.crl", None, 404, "the resources are /faults"),
    ],
)
def test_an_invalid_request_gets_a_sentence(
    method: str, path: str, body: Any, status: int, words: str, control: Control
) -> None:
    answer = control.ask(method, path, body)
    assert answer.status_code == status
    assert words in (answer.json()["error"] if words else "")


@pytest.mark.parametrize("name", hostile_json.NAMES)
def test_hostile_json_is_rejected_without_side_effects(name: str, control: Control) -> None:
    for method, path, template in (
        ("PUT", "/faults", b'{"of": @, "url": @, "fault": @}'),
        ("PUT", "/faults", b'{"of": "issuing", "fault": {"crl-stale": {"by": @}}}'),
        ("DELETE", "/faults", b'{"of": @, "url": @}'),
        ("POST", "/refresh", b'{"of": @}'),
    ):
        for body in hostile_json.bodies(name, template):
            answer = control.ask(method, path, body)
            assert answer.status_code < 500, (body[:80], answer.text)
            assert "error" in answer.json() or answer.status_code == 200
    assert control.ask("GET", "/faults").json() == {"faults": []}
    assert httpx.get(f"{control.url}/crl/issuing.crl").status_code == 200


@pytest.mark.parametrize("path", ["/faults", "/requests", "/refresh", "/nowhere"])
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer x", f"Bearer {'x' * 43}", "Basic dG9rZW46"],
)
def test_without_the_token_nothing_is_changed_or_revealed(
    authorization: str | None, path: str, control: Control
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for method in ("GET", "PUT", "POST", "DELETE"):
        answer = httpx.request(method, control.api + path, headers=headers, content=b"{}")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert control.token not in answer.text


def test_a_part_of_the_token_or_the_token_twice_is_not_the_token(control: Control) -> None:
    for wrong in (control.token[:-1], control.token + "x", control.token.swapcase()):
        assert control.ask("GET", "/faults", Authorization=f"Bearer {wrong}").status_code == 401
    twice = [("Authorization", f"Bearer {control.token}")] * 2
    assert httpx.get(f"{control.api}/faults", headers=twice).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(
            (host, 421)
            for host in ("evil.test", "127.0.0.1.evil.test", "localhost.evil.test:80", "10.0.0.1", "x")
        ),
        ("127.0.0.1@evil.test", 400),  # no valid Host header (RFC 9112, 3.2)
    ],
)
def test_a_foreign_host_name_is_rejected(host: str, status: int, control: Control) -> None:
    assert control.ask("GET", "/faults", Host=host).status_code == status


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1234", "[::1]:80", "LOCALHOST"])
def test_the_names_of_this_machine_are_accepted(host: str, control: Control) -> None:
    assert control.ask("GET", "/faults", Host=host).status_code == 200


def test_the_api_listens_only_on_loopback(control: Control) -> None:
    port = urlsplit(control.api).port or 0
    others = ["127.0.0.2"]
    with suppress(OSError):  # not every machine resolves its own name
        others.append(socket.gethostbyname(socket.gethostname()))
    for other in others:
        if other != "127.0.0.1":
            with pytest.raises(OSError), socket.create_connection((other, port), timeout=5):  # noqa: PT011
                pass


@settings(max_examples=150, deadline=None)
@given(
    body=st.binary(max_size=300)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["of", "url", "fault", "crl-stale", "by"]) | st.text(), inner)
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    method=st.sampled_from(["PUT", "DELETE", "POST", "GET"]),
    path=st.sampled_from(["/faults", "/refresh", "/requests?since=0", "/requests?wait=x"]),
)
def test_no_body_causes_an_internal_error(body: bytes, method: str, path: str, running: Control) -> None:
    answer = running.ask(method, path, body)
    assert answer.status_code in (200, 400, 405, 422)
    assert answer.status_code == 200 or list(answer.json()) == ["error"]
    assert "Traceback" not in answer.text


def test_a_used_port_is_reported_with_its_option(environment: Environment) -> None:
    live = RuntimeFaults(environment.folder)
    with (
        listen("127.0.0.1", 0) as taken,
        pytest.raises(EnvironmentFailure) as refused,
        controlled(environment.folder, live, taken.port, lambda _: None),
    ):
        pass
    assert "--control-port" in str(refused.value)


def test_the_file_of_another_server_stays(environment: Environment, control: Control) -> None:
    first = (environment.folder / FILE).read_bytes()
    with controlled(environment.folder, RuntimeFaults(environment.folder), 0, lambda _: None):
        (environment.folder / FILE).write_bytes(first)
    assert (environment.folder / FILE).read_bytes() == first


@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_the_command_prints_the_url_and_not_the_token(environment: Environment, tmp_path: Path) -> None:
    folder = tmp_path / "copied"
    run("cp", "-a", environment.folder, folder)
    (folder / FILE).unlink(missing_ok=True)
    command = [sys.executable, "-m", "pkigen", "serve", str(folder), "--port", "0", "--json"]
    command += ["--control-port", "0", "--host", "localhost"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        announced = json.loads(process.stdout.readline())
        control_file = json.loads((folder / FILE).read_bytes())
        assert announced["control_url"] == control_file["url"]
        assert control_file["url"].startswith("http://127.0.0.1:")
        headers = {"Authorization": f"Bearer {control_file['token']}"}
        body = {"of": "issuing", "fault": "crl-http-500"}
        assert httpx.put(f"{control_file['url']}/faults", json=body, headers=headers).status_code == 200
        assert httpx.get(f"{announced['url']}/crl/issuing.crl").status_code == 500
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert control_file["token"] not in out + err
    assert '"GET /crl/issuing.crl HTTP/1.1" 500 ' in err
    assert "[crl-http-500]\n" in err
    assert not (folder / FILE).exists()
