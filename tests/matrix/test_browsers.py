"""Chromium and Firefox at the TLS endpoint of an environment: one process for all cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pkigen import build
from pkigen.errors import EnvironmentFailure
from pkigen.matrix import VALIDATORS, MatrixCase, Validator, subjects_of
from pkigen.matrix.browser import Browser, judge_in_browser
from pkigen.serve import serve_as_proxy, serve_tls
from tests.matrix.tools import parameter

PROFILE = {
    "name": "browsers",
    "base_url": "http://pki.contoso.test",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {}, "issuing": {"issuer": "root"}},
    "certificates": {
        "sound": {"issuer": "issuing", "subject": {"CN": "sound.contoso.test"}},
        "wildcard": {"issuer": "issuing", "subject": {"CN": "wildcard"}, "san": ["dns:*.contoso.test"]},
        "address": {"issuer": "issuing", "subject": {"CN": "address"}, "san": ["ip:192.0.2.1"]},
        "second": {"issuer": "issuing", "subject": {"CN": "sound.contoso.test"}},
    },
    "negatives": [
        {
            "of": "sound",
            "faults": [
                "expired",
                "san-wrong-host",
                "plaintext-on-tls-port",
                "tls-certificate-verify-other-key",
            ],
        }
    ],
}
every_browser = pytest.mark.parametrize(
    "browser", [parameter(one) for one in VALIDATORS if "tls" in one.looks_at]
)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, MatrixCase]]:
    environment = build(PROFILE, tmp_path_factory.mktemp("browsers"))
    with (
        serve_as_proxy(environment.folder, at=environment.clock) as proxy,
        serve_tls(environment.folder) as url,
    ):
        subjects = subjects_of(environment, proxy, url.removeprefix("https://"))
        yield {subject.name: subject.case for subject in subjects}


@every_browser
def test_a_browser_judges_the_cases_that_the_endpoint_presents(
    browser: Validator, cases: dict[str, MatrixCase]
) -> None:
    answers = browser.judge([*cases.values()])
    accepted = {name for name, answer in answers.items() if answer.accepted}
    assert accepted == {"sound", "wildcard"}, answers
    # An address has no server name indication, and of two cases with a name the first is presented.
    assert cases.keys() - answers.keys() == {"address", "second"}
    for name in answers.keys() - accepted:
        assert answers[name].parts["path"] is False
        assert answers[name].words.startswith("path: "), name
    assert len({answers[name].words for name in ("sound.expired", "sound.san-wrong-host")}) == len(
        ("sound.expired", "sound.san-wrong-host")
    )


class _Puppet(Browser):
    """A browser that hangs or ends at some cases, and records how often it is started."""

    starts = 0

    def __init__(self, directory: Path, cases: Sequence[MatrixCase]) -> None:
        assert not any(directory.iterdir())
        type(self).starts += 1

    def connect(self, seconds: float) -> None:
        pass

    def open(self, case: MatrixCase, seconds: float) -> str | None:
        if case.name in _OPENED:
            return _OPENED[case.name]
        raise TimeoutError if case.name == "hangs" else EOFError

    def close(self) -> None:
        pass


_OPENED = {"first": "", "wrong": "ERROR", "odd": None, "last": ""}


def test_a_browser_that_hangs_or_ends_is_restarted_for_the_next_case(cases: dict[str, MatrixCase]) -> None:
    names = ("first", "hangs", "wrong", "ends", "odd", "last")
    answers = judge_in_browser(_Puppet, [replace(cases["sound"], name=name) for name in names])
    assert {name: answer.words for name, answer in answers.items()} == {
        "first": "",
        "hangs": "path: timed out after 20 s",
        "wrong": "path: ERROR",
        "ends": "path: the browser ends",
        "last": "",
    }
    assert _Puppet.starts == len({"first", "wrong", "odd"})


def test_a_browser_that_does_not_start_is_an_error(cases: dict[str, MatrixCase]) -> None:
    class Broken(_Puppet):
        def connect(self, seconds: float) -> None:
            raise EOFError

    with pytest.raises(EnvironmentFailure, match="the browser does not start"):
        judge_in_browser(Broken, [cases["sound"]])


@pytest.mark.parametrize("days", [-1, 1])
def test_no_browser_is_started_for_an_environment_of_another_day(
    cases: dict[str, MatrixCase], days: int
) -> None:
    def start(directory: Path, cases: Sequence[MatrixCase]) -> Browser:
        raise AssertionError

    sound = cases["sound"]
    assert judge_in_browser(start, [replace(sound, at=sound.at + timedelta(days=days))]) == {}
    assert judge_in_browser(start, [replace(sound, tls=None)]) == {}
