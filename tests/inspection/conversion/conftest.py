"""The files that conversions begin with."""

from __future__ import annotations

import pytest

from tests.inspection.conversion.certificates import Made, make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Made once, and only read by tests."""
    return make(tmp_path_factory.mktemp("made"))
