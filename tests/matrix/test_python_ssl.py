"""Python's ``ssl`` as a column: it loads the files of a server, and validates no path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pkigen.matrix import MatrixCase
from pkigen.matrix.validators.python_ssl import PYTHON_SSL

Cases = dict[str, MatrixCase]


def _parts(case: MatrixCase) -> tuple[bool | None, bool | None]:
    answer = PYTHON_SSL.judge([case])[case.name]
    return answer.parts["path"], answer.parts["key"]


def test_files_that_a_server_can_load_are_accepted_whatever_the_path(cases: Cases) -> None:
    for name in ("sound", "sound.expired", "revoked"):
        assert _parts(cases[name]) == (True, True), name
    assert _parts(replace(cases["sound"], chain=None, key=None)) == (True, None)


def test_a_key_is_rejected_if_it_fits_another_certificate_or_is_locked(cases: Cases) -> None:
    assert _parts(replace(cases["sound"], key=cases["revoked"].key)) == (True, False)
    assert _parts(cases["locked"]) == (True, False)


@pytest.mark.parametrize("data", [b"", b"<html></html>\n"])
@pytest.mark.parametrize("file", ["certificate", "chain"])
def test_a_file_without_a_certificate_is_rejected_before_the_key(
    cases: Cases, tmp_path: Path, file: str, data: bytes
) -> None:
    junk = tmp_path / "junk"
    junk.write_bytes(data)
    sound = cases["sound"]
    case = replace(sound, certificate=junk) if file == "certificate" else replace(sound, chain=junk)
    assert _parts(case) == (False, None)
