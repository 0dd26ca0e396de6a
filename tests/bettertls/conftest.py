"""The built profile ``bettertls``, for all tests of it."""

from __future__ import annotations

import pytest

from pkigen import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.environment import Environment


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build("bettertls", tmp_path_factory.mktemp("bettertls"), BuildOptions(keys="pool"))
