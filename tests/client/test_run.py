"""Exit codes of a client become verdicts, and verdicts reports."""

from __future__ import annotations

import shlex
import socket
import sys
from xml.etree import ElementTree as ET

import pytest

from pkigen import build
from pkigen.client import Outcome, run_client
from pkigen.client.reports import as_junit, as_sarif
from pkigen.environment.environment import Environment
from pkigen.errors import EnvironmentFailure, InputError
from tests import pages

CLIENT = """
import os, socket, ssl
context = ssl.create_default_context(cafile=os.environ["PKI_TRUST"])
with socket.create_connection((os.environ["PKI_ADDRESS"], int(os.environ["PKI_PORT"]))) as connection:
    context.wrap_socket(connection, server_hostname=os.environ["PKI_HOST"]).close()
"""
STRICT = f"{sys.executable} -c {shlex.quote(CLIENT)}"
ACCEPTS, REJECTS = "true", "false"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    document = {
        "name": "client",
        "base_url": f"http://127.0.0.1:{pages.free_port()}",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}},
        "certificates": {"server": {"issuer": "root", "subject": {"CN": "server.test"}}},
        "negatives": [{"of": "server", "faults": ["expired", "san-missing", "self-signed"]}],
    }
    return build(document, tmp_path_factory.mktemp("client"))


def _outcomes(environment: Environment, command: str, **options: object) -> dict[str, str]:
    results = run_client(environment, command, **options)  # type: ignore[arg-type]
    return {one.case.name: one.outcome.value for one in results}


def test_a_client_that_validates_differs_only_where_validators_differ(environment: Environment) -> None:
    outcomes = _outcomes(environment, STRICT)
    assert outcomes["server"] == outcomes["server.expired"] == outcomes["server.self-signed"] == "passed"
    assert outcomes.keys() == {case.name for case in environment.cases()}


def test_accepting_and_rejecting_everything_fail(environment: Environment) -> None:
    accepting = _outcomes(environment, ACCEPTS, only="server.expired")
    rejecting = _outcomes(environment, REJECTS, only="server")
    assert (accepting, rejecting) == ({"server.expired": "failed"}, {"server": "failed"})


def test_a_known_difference_is_no_failure(environment: Environment) -> None:
    outcomes = _outcomes(environment, ACCEPTS, only="*[dp]i*e[dn]", known=["exp*", "server.self-*"])
    assert set(outcomes.values()) <= {"known", "passed"}


def test_a_client_that_does_not_end_is_stopped(environment: Environment) -> None:
    (result,) = run_client(environment, "sleep 60 & sleep 60", only="server.expired", timeout=0.3)
    assert (result.actual, result.outcome) == ("timeout", Outcome.FAILED)
    assert result.seconds < 30
    assert "did not end in time" in result.says


@pytest.mark.parametrize(
    ("command", "only", "message"),
    [
        ("no-such-client", "server", "cannot be started"),
        (ACCEPTS, "nothing", "no certificate for TLS servers"),
    ],
)
def test_a_run_that_means_nothing_is_an_error(
    environment: Environment, command: str, only: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run_client(environment, command, only=only)


def test_a_port_that_another_program_has_is_an_error_that_names_the_url(environment: Environment) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", environment.http_port or 0))
        taken.listen()
        with pytest.raises(EnvironmentFailure, match=f"{environment.base_url}, to which .* base_url"):
            run_client(environment, ACCEPTS)


def test_the_reports_state_what_the_client_did(environment: Environment) -> None:
    results = run_client(environment, "echo seen $PKI_CASE", known=["self-signed"])
    suite = ET.fromstring(as_junit(results, environment.name))  # noqa: S314  our own
    failures = {case.get("name"): case.findtext("failure") for case in suite.iter("testcase")}
    assert failures["server.expired"] == "seen server.expired\n"
    assert failures["server.self-signed"] is None
    (run,) = as_sarif(results, "pki.yaml", "1.0")["runs"]
    ids = [one["ruleId"] for one in run["results"]]
    assert "expired" in ids
    assert "self-signed" not in ids
    assert [one["id"] for one in run["tool"]["driver"]["rules"]] == ids
