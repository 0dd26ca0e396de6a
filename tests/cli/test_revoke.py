"""``pkigen revoke``, ``unrevoke`` and ``refresh-crl`` as a person and as a program meet them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from pkigen.environment.build.build import build
from pkigen.profile import load
from tests.cli.conftest import Cli


@pytest.fixture
def env(tmp_path: Path) -> str:
    document = {
        "name": "env",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}},
        "certificates": {"sensor-{01..03}": {"issuer": "issuing"}},
    }
    path = tmp_path / "env.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return str(build(load(path), tmp_path).folder)


def test_the_text_states_what_is_revoked_and_where_it_is_published(cli: Cli, env: str) -> None:
    outcome = cli("revoke", env, "sensor-01", "--reason", "keyCompromise", "--at", "-2d")
    assert outcome.code == 0
    first, second, *_ = outcome.out.splitlines()
    assert first == "sensor-01 is revoked"
    assert second.startswith("CRL 2 of issuing, valid until 20")
    assert "/crl/issuing.crl" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_json_has_the_same_facts_as_the_text(cli: Cli, env: str) -> None:
    output = json.loads(cli("revoke", env, "sensor-01", "sensor-02", "--json").out)
    assert output["changed"] == ["certificates/sensor-01", "certificates/sensor-02"]
    assert [(crl["authority"], crl["number"]) for crl in output["crls"]] == [("issuing", 2)]


def test_a_hold_is_set_and_lifted(cli: Cli, env: str) -> None:
    assert cli("revoke", env, "sensor-01", "--reason", "certificateHold").code == 0
    outcome = cli("unrevoke", env, "sensor-01")
    assert outcome.code == 0
    assert outcome.out.startswith("sensor-01 is no longer revoked\nCRL 3 of issuing")


def test_refreshing_names_each_crl(cli: Cli, env: str) -> None:
    outcome = cli("refresh-crl", env)
    assert outcome.code == 0
    assert {line.split()[3].rstrip(",") for line in outcome.out.splitlines() if line.startswith("CRL")} == {
        "root",
        "issuing",
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("revoke", "sensor-1"), "did you mean 'sensor-01'?"),
        (("revoke", "sensor-01", "--reason", "keycompromise"), "did you mean 'keyCompromise'?"),
        (("revoke", "sensor-01", "--reason", "why"), "superseded"),
        (("revoke", "sensor-01", "--at", "yesterday"), "--at"),
        (("revoke", "sensor-01", "--invalid-since", "x"), "--invalid-since"),
        (("revoke", "sensor-01", "--serial", "xyz"), "--serial"),
        (("revoke", "sensor-01", "sensor-02", "--serial", "1"), "specify exactly one NAME"),
        (("unrevoke", "sensor-9"), "no such entity"),
        (("refresh-crl", "sensor-01"), "no such entity"),
    ],
)
def test_invalid_requests_are_reported_with_exit_code_2(
    cli: Cli, env: str, words: tuple[str, ...], message: str
) -> None:
    command, *rest = words
    outcome = cli(command, env, *rest)
    assert outcome.code == 2
    assert message in " ".join(outcome.err.split())
    assert "Traceback" not in outcome.err


def test_a_directory_that_is_no_environment_is_rejected(cli: Cli, tmp_path: Path) -> None:
    for command in (("revoke", "x"), ("unrevoke", "x"), ("refresh-crl",)):
        outcome = cli(command[0], str(tmp_path / "nothing"), *command[1:])
        assert outcome.code == 2
        assert "is not a built environment" in outcome.err
