"""A short run of ``make attack``: a few inputs and kills of each part, always of the same seed."""

from __future__ import annotations

import os

import pytest

from tests.attack.__main__ import run_part
from tests.attack.parts import PARTS

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals and resource limits are those of POSIX"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


@pytest.mark.parametrize("name", [name for name, part in PARTS.items() if part.short])
def test_an_attack_finds_nothing(name: str) -> None:
    result = run_part(name, 20261128, count=PARTS[name].short)
    if result.skipped:
        pytest.skip(result.skipped)
    assert [finding.problem for finding in result.findings] == []
    assert result.count == PARTS[name].short


def test_a_part_ends_after_its_time() -> None:
    assert run_part("ocsp", 1, seconds=0).count <= 1


def test_inputs_repeat_from_their_number_and_the_seed() -> None:
    assert run_part("tls", 7, count=3, first=10).findings == run_part("tls", 7, count=3, first=10).findings
