"""One environment for all tests of the checker."""

from __future__ import annotations

import pytest

from tests.requirements.environments import Built, Environments


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The appliance's set, a root and an issuing CA, two sensors and every negative case of one."""
    return Environments(tmp_path_factory.mktemp("checked")).of("defender-iot")
