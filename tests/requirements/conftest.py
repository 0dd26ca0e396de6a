"""Environments that all tests of requirement sets share."""

from __future__ import annotations

import pytest

from tests.requirements.environments import Environments


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """What is built here is built once."""
    return Environments(tmp_path_factory.mktemp("negatives"))
