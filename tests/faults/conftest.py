"""One environment with a case for every fault of the catalogue."""

from __future__ import annotations

from typing import Any

import pytest

from pkigen import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.environment import Environment

PROFILE: dict[str, Any] = {
    "name": "catalogue",
    "authorities": {"root": {"key": "ec-p256"}, "issuing": {"issuer": "root", "key": "ec-p256"}},
    "certificates": {
        "sensor": {
            "issuer": "issuing",
            "key": "ec-p256",
            "subject": {"C": "US", "O": "Contoso Inc.", "OU": "Contoso Labs", "CN": "sensor.contoso.test"},
        }
    },
    "negatives": [{"of": "sensor", "faults": "all"}],
}


def is_twin(name: str) -> bool:
    """Whether a case is the second of two that are wrong together."""
    return name.endswith(".twin")


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(PROFILE, tmp_path_factory.mktemp("catalogue"))


@pytest.fixture(scope="session")
def negative(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The shipped profile: every fault, on the appliance that it is for."""
    return build("negative", tmp_path_factory.mktemp("negative"), BuildOptions(keys="pool"))
