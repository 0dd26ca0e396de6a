"""Builds obey the profile's requirement sets, or say at which line they cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.errors import InputError, Problem
from pkigen.profile import load
from tests.cli.conftest import Cli, cli

__all__ = ["cli"]

SOUND = """\
name: obedient
base_url: http://127.0.0.1:8080
requirements: [defender-iot]
defaults:
  key: rsa-2048
  subject: {C: US, O: Test, OU: Bench}
authorities:
  root: {subject: {CN: Obedient Root}}
certificates:
  one:
    issuer: root
    subject: {CN: one.example.test}
  two:
    issuer: root
    subject: {CN: two.example.test}
"""
OWN = """\
name: own
title: My own
source: {title: Mine, date: "2026"}
requirements:
  - id: names
    demand: {san: {required: true, kinds: [ip]}}
    level: rejected
    section: "1"
    says: An address is among the names.
"""


def _profile(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = SOUND
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path / "obedient.yaml"
    path.write_text(text)
    return path


def _problems(path: Path, out: Path) -> list[Problem]:
    """What a build says of a profile, after it has written nothing."""
    with pytest.raises(InputError) as caught:
        build(load(path), out, BuildOptions())
    assert not out.exists()
    return list(caught.value.problems)


def _lines_and_requirements(problems: list[Problem]) -> list[tuple[int, str]]:
    """Return the line and the requirement of each problem."""
    return [(p.location.line if p.location else 0, p.message.split(" (")[-1].split(";")[0]) for p in problems]


SIGNED_BY_EC = [(11, "signature-sha256-rsa"), (14, "signature-sha256-rsa")]
"""The root has a key of the same kind, and each certificate its signature."""

BROKEN = [
    ("key: rsa-2048", "key: ec-p256", [(5, "public-key-rsa"), *SIGNED_BY_EC]),
    ("key: rsa-2048", "key: rsa-1024", [(5, "public-key-2048")]),
    ("    subject: {CN: two", "    key: rsa-1024\n    subject: {CN: two", [(15, "public-key-2048")]),
    ("base_url: http:", "base_url: https:", [(2, "crl-url-http")]),
    ("{C: US, O: Test, OU: Bench}", "{O: Test, OU: Bench}", [(12, "subject-c"), (15, "subject-c")]),
    ("{CN: two.example.test}", "{C: '', CN: two.example.test}", [(15, "subject-c")]),
    ("{CN: two.example.test}", "{CN: '*.example.test'}", [(15, "subject-cn-no-wildcard")]),
    ("{CN: two.example.test}", "{CN: ONE.example.test}", [(15, "subject-cn-unique")]),
    ("{CN: two.example.test}", "{CN: two}", [(15, "subject-cn")]),
    (
        "    subject: {CN: two",
        "    signature: {digest: sha1}\n    subject: {CN: two",
        [(15, "signature-hash-sha256"), (15, "signature-sha256-rsa")],
    ),
    (
        "    subject: {CN: two",
        "    valid: {from: 2020-01-01, for: 1y}\n    subject: {CN: two",
        [(15, "not-after-future")],
    ),
    (
        "    subject: {CN: two",
        "    valid: {from: 2990-01-01, for: 1y}\n    subject: {CN: two",
        [(15, "not-before-past")],
    ),
    (
        "    subject: {CN: two",
        "    crl_distribution_points: ['http://crl.test/list']\n    subject: {CN: two",
        [(15, "crl-distribution-point")],
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), BROKEN)
def test_a_violated_requirement_is_reported_at_the_line_that_causes_it(
    old: str, new: str, expected: list[tuple[int, str]], tmp_path: Path
) -> None:
    problems = _problems(_profile(tmp_path, (old, new)), tmp_path / "out")
    assert sorted(set(_lines_and_requirements(problems))) == sorted(expected), problems
    assert all(problem.message.startswith("defender-iot requires: ") for problem in problems)


def test_all_violated_requirements_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = _profile(
        tmp_path,
        ("base_url: http:", "base_url: https:"),
        ("key: rsa-2048", "key: rsa-1024"),
        ("{CN: two.example.test}", "{CN: '*.example.test'}"),
    )
    assert _lines_and_requirements(_problems(path, tmp_path / "out")) == [
        (2, "crl-url-http"),
        (5, "public-key-2048"),
        (15, "subject-cn-no-wildcard"),
    ]


def test_validate_reports_the_same_as_a_build(tmp_path: Path, cli: Cli) -> None:
    path = _profile(tmp_path, ("base_url: http:", "base_url: https:"), ("key: rsa-2048", "key: rsa-1024"))
    validated = cli("validate", path)
    assert (validated.code, validated.out) == (2, "")
    assert len(validated.err.splitlines()) == 2
    assert validated.err == cli("build", path).err
    assert not (tmp_path / "out").exists()


def test_a_recommendation_is_no_error(tmp_path: Path, cli: Cli) -> None:
    path = _profile(tmp_path, ("key: rsa-2048", "key: rsa-4096"))
    assert cli("validate", path).code == 0


def test_without_requirement_sets_nothing_is_checked(tmp_path: Path, cli: Cli) -> None:
    path = _profile(tmp_path, ("requirements: [defender-iot]\n", ""), ("key: rsa-2048", "key: ec-p256"))
    assert cli("validate", path).code == 0


def test_a_set_beside_the_profile_is_read(tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "own.yaml").write_text(OWN)
    path = _profile(tmp_path, ("[defender-iot]", "[sets/own.yaml]"))
    problems = _problems(path, tmp_path / "out")
    assert {problem.message.split(":")[0] for problem in problems} == {"own requires"}
    fixed = ("key: rsa-2048", "key: rsa-2048\n  san: ['ip:127.0.0.1']")
    path = _profile(tmp_path, ("[defender-iot]", "[sets/own.yaml]"), fixed)
    assert build(load(path), tmp_path / "out", BuildOptions()).folder.is_dir()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("defender-iott", "did you mean 'defender-iot'"),
        ("none.yaml", "No such file"),
    ],
)
def test_a_missing_set_is_reported(name: str, words: str, tmp_path: Path) -> None:
    (problem,) = _problems(_profile(tmp_path, ("[defender-iot]", f"[{name}]")), tmp_path / "out")
    assert words in str(problem)
    assert problem.location is not None
    assert problem.location.line == 3


def test_an_invalid_set_is_reported_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN.replace("{san:", "{sna:"))
    path = _profile(tmp_path, ("[defender-iot]", "[own.yaml]"))
    (problem,) = _problems(path, tmp_path / "out")
    assert str(problem).startswith(f"{tmp_path / 'own.yaml'}:6:")


NEGATIVES = "negatives: [{{of: {}, against: {}}}]\n"


@pytest.mark.parametrize(
    ("of", "against", "words"),
    [
        ("on", "defender-iot", "no certificate or authority is called 'on' (did you mean 'one'?)"),
        ("one", "defender-oit", "did you mean 'defender-iot'"),
    ],
)
def test_negatives_of_an_unknown_certificate_are_reported_at_their_line(
    of: str, against: str, words: str, tmp_path: Path
) -> None:
    path = _profile(tmp_path, ("defaults:\n", NEGATIVES.format(of, against) + "defaults:\n"))
    problems = _problems(path, tmp_path / "out")
    assert words in str(problems[0])
    assert {problem.location.line for problem in problems if problem.location} == {4}


def test_a_base_that_violates_the_set_is_reported_at_the_line_that_causes_it(tmp_path: Path) -> None:
    path = _profile(
        tmp_path,
        ("requirements: [defender-iot]", NEGATIVES.format("two", "defender-iot").rstrip()),
        ("{CN: two.example.test}", "{CN: '*.example.test'}"),
    )
    assert _lines_and_requirements(_problems(path, tmp_path / "out")) == [(15, "subject-cn-no-wildcard")]


def test_duplicate_negatives_are_reported(tmp_path: Path) -> None:
    again = "negatives: [" + 2 * "{of: one, against: defender-iot}, " + "]\n"
    path = _profile(tmp_path, ("defaults:\n", f"{again}defaults:\n"))
    problems = _problems(path, tmp_path / "out")
    assert [str(problem).endswith("negatives.1: this is asked for twice") for problem in problems] == [True]
