"""Shipped profiles before every validator: whatever is not as expected has its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.cli import main
from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.matrix import VALIDATORS
from pkigen.profile import load
from tests.tools import FROM_PYPI, LIBRARIES

TOOLS = ("openssl", "certtool", "javac", "cc", "c++", *LIBRARIES, *FROM_PYPI)


@pytest.mark.needs(*TOOLS)
@pytest.mark.parametrize("profile", ["key-zoo", "badssl-offline"])
def test_no_difference_is_without_a_reason(
    profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = build(load(profile), tmp_path, BuildOptions(keys="pool")).folder
    code = main(["matrix", str(folder)])
    output = capsys.readouterr().out
    assert code == 0, output
    assert f"{len(VALIDATORS)} validators" in output


@pytest.mark.needs("certtool")
def test_gnutls_rejects_an_empty_attribute_for_a_known_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only these cases: those of accompanying files still differ from the expected verdict of the path."""
    folder = build(load("negative-upload"), tmp_path, BuildOptions(keys="pool")).folder
    code = main(["matrix", str(folder), "--validators", "gnutls", "--only", "*subject-*-empty"])
    output = capsys.readouterr().out
    assert code == 0, output
    assert "3  differences with a reason" in output
