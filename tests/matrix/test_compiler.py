"""Programs that are compiled when they are first asked, once, and said to be missing when they cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pkigen.errors import EnvironmentFailure, InputError
from pkigen.matrix import MatrixCase
from pkigen.matrix.compiler import compiled
from pkigen.matrix.line_protocol import FIELDS
from pkigen.matrix.validators.libraries import MBEDTLS, Library

NOWHERE = Library("nowhere", "mbedtls.c", frozenset(("path",)), "libnowhere-dev", flags=("-lnowhere",))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_program_is_compiled_again_only_if_source_or_compiler_changed(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("one")
    made = []

    def command(fresh: Path) -> tuple[str | Path, ...]:
        made.append(fresh)
        return ("cp", source, fresh)

    first = compiled("thing", (source,), command, "compiler 1")
    assert compiled("thing", (source,), command, "compiler 1") == first
    assert len(made) == 1
    assert compiled("thing", (source,), command, "compiler 2") != first
    source.write_text("two")
    other = compiled("thing", (source,), command, "compiler 1")
    assert (first.read_text(), other.read_text()) == ("one", "two")
    assert len(made) == 3
    assert sorted(first.parent.iterdir()) == sorted({first, other, *first.parent.glob("thing-*")})


@pytest.mark.needs("cc", "mbedtls")
def test_a_library_that_cannot_be_linked_is_missing(cases: dict[str, MatrixCase]) -> None:
    assert NOWHERE.version() is None
    with pytest.raises(EnvironmentFailure, match=r"nowhere cannot be compiled: .*-lnowhere"):
        NOWHERE.judge([cases["sound"]])


def test_without_a_compiler_the_package_to_install_is_reported(
    cases: dict[str, MatrixCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert MBEDTLS.version() is None
    with pytest.raises(EnvironmentFailure, match="needs a C compiler and libmbedtls-dev"):
        MBEDTLS.judge([cases["sound"]])


def test_a_path_that_breaks_the_line_protocol_is_rejected(cases: dict[str, MatrixCase]) -> None:
    for name in ("a\tb", "a\nb"):
        with pytest.raises(InputError, match="tab or a line feed"):
            FIELDS.write(replace(cases["sound"], certificate=Path(name)))
