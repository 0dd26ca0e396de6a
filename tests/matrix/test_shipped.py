"""Shipped profiles, built and exported for x509-limbo: every difference between validators has a reason.

`make validators` runs every shipped profile. Without it, those with the most kinds of differences run, and no
browsers.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.cli import main
from pkigen.documents import shipped
from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.matrix import VALIDATORS
from pkigen.profile import load
from tests.matrix.tools import ALL, OPTIONAL
from tests.tools import FROM_PYPI, LIBRARIES

TOOLS = ("openssl", "certtool", "javac", "cc", "c++", *LIBRARIES, *FROM_PYPI)
# The verdicts of path tests need settings that the matrix has not: policies, CRLs, other CA certificates and
# anchors. tests/pkits and tests/bettertls compare these profiles, `make bettertls` with all validators.
_WITH_PATH_TESTS = ("pkits", "bettertls")
_ALL_PROFILES = tuple(name for name in shipped.names() if name not in _WITH_PATH_TESTS)
_BUILT = _ALL_PROFILES if ALL else ("key-zoo", "badssl-offline", "negative-upload")
_EXPORTED = _ALL_PROFILES if ALL else ("negative-upload",)


@pytest.mark.needs(*TOOLS)
@pytest.mark.parametrize(
    ("profile", "target"), [*((name, "") for name in _BUILT), *((name, "limbo") for name in _EXPORTED)]
)
def test_no_difference_is_without_a_reason(
    profile: str, target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = build(load(profile), tmp_path / "out", BuildOptions(keys="pool")).folder
    if target:
        code = main(["export", str(suite), "--to", target, "--out", str(tmp_path / target)])
        if code == 1:  # a profile of mailboxes alone
            words = capsys.readouterr().err
            assert "can export none of these certificates" in words
            assert "its extended key usage permits neither TLS servers nor TLS clients" in words
            return
        assert code == 0
        suite = tmp_path / target / "limbo.json"
    capsys.readouterr()
    names = [one.name for one in VALIDATORS if ALL or "tls" not in one.looks_at]
    code = main(["matrix", str(suite), "--validators", ",".join(names)])
    output = capsys.readouterr().out
    assert code == 0, output
    missing = {one.name for one in VALIDATORS if one.name in names and one.version() is None}
    assert missing <= OPTIONAL
    assert f"{len(names) - len(missing)} validators" in output
