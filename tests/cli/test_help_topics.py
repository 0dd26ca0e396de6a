"""`pkigen help`: the reference of profile keys, faults and commands."""

from __future__ import annotations

import pytest

from pkigen.cli import main
from pkigen.profile.reference import PARTS, keys


def _help(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["help", *words]) == 0
    return capsys.readouterr().out


def test_every_key_of_a_profile_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    output = _help(capsys, "profile")
    listed = {line.split()[0] for line in output.splitlines() if line.startswith("  ")}
    assert {key for part in PARTS for key in keys(part)} <= listed
    assert "](" not in output


def test_a_key_has_its_values_default_and_example(capsys: pytest.CaptureFixture[str]) -> None:
    output = _help(capsys, "profile", "certificates.san")
    assert "default: the common name as a DNS name" in " ".join(output.split())
    assert 'san: ["dns:console.contoso.test"' in output


def test_a_key_of_two_parts_has_both_sections(capsys: pytest.CaptureFixture[str]) -> None:
    output = _help(capsys, "profile", "issuer")
    assert "Authorities\n" in output
    assert "Certificates\n" in output


def test_a_fault_and_a_command_have_their_pages(capsys: pytest.CaptureFixture[str]) -> None:
    assert "validity/expired" in _help(capsys, "fault", "expired")
    assert "Usage: pkigen build" in _help(capsys, "build")
    assert "Commands:" in _help(capsys)


@pytest.mark.parametrize(
    ("words", "advice"),
    [(("profile", "valdi"), "did you mean 'valid'?"), (("biuld",), "did you mean 'build'?")],
)
def test_an_unknown_topic_is_an_error(
    words: tuple[str, ...], advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["help", *words]) == 2
    assert advice in capsys.readouterr().err
