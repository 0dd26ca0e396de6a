"""The responder of a template, and messages that `openssl cmp` writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pkigen.enrolment.cmp.responder import Responder
from pkigen.environment.enrol import Enroller
from tests.enrolment.cmp.written import device_key, first_message

Written = Callable[..., bytes]


@pytest.fixture
def responder(enroller: Enroller) -> Responder:
    return Responder(enroller.templates["sensors"], enroller)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Let `openssl cmp` write the first message of a command, with MAC protection."""
    key = device_key(tmp_path_factory.mktemp("messages"))

    def write(command: str, *options: str | Path, secret: str = "wonderful") -> bytes:  # noqa: S107
        return first_message(key, command, "-secret", f"pass:{secret}", "-ref", "lab", *options)

    return write
