"""The responder of a template, and messages that `openssl cmp` writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pkigen.enrolment.cmp.responder import Responder
from pkigen.environment.enrol import Enroller
from tests import tools
from tests.clients.conftest import run_any

Written = Callable[..., bytes]


@pytest.fixture
def responder(enroller: Enroller) -> Responder:
    return Responder(enroller.templates["sensors"], enroller)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Let `openssl cmp` write the first message of a command; the response is a file that it cannot read."""
    directory = tmp_path_factory.mktemp("messages")
    key = directory / "device.key"
    tools.run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)

    def write(command: str, *options: str | Path, secret: str = "wonderful") -> bytes:  # noqa: S107
        path = directory / "message.der"
        protection = ("-secret", f"pass:{secret}", "-ref", "lab")
        request = ("-newkey", key, "-subject", "/CN=a.contoso.test") if command in ("ir", "cr") else ()
        path.unlink(missing_ok=True)
        server = ("-server", "127.0.0.1:1", "-rspin", key, "-reqout", path, "-certout", directory / "none")
        run_any("openssl", "cmp", "-batch", "-cmd", command, *server, *protection, *request, *options)
        return path.read_bytes()

    return write
