"""Directories over an environment, and clients that call them in this process."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from pkigen.clock import utc_now
from pkigen.enrolment.acme import routes
from pkigen.enrolment.dns import TxtRecords
from pkigen.enrolment.faults import EnrolmentFaults
from pkigen.enrolment.state import State
from pkigen.environment.build.build import build
from pkigen.environment.enrol import Enroller
from pkigen.profile import load
from tests.enrolment.acme.client import AcmeClient

PROFILE = """
name: acme
defaults: {key: ec-p256, subject: {O: Contoso}, valid: 90d}
authorities: {root: {}, other: {}, issuing: {issuer: [root, other]}}
certificates: {console: {issuer: issuing, subject: {CN: console.contoso.test}}}
enrolment:
  sensors:
    issuer: issuing
    from_request: [subject.CN, san]
    names: ["*.contoso.test", "127.0.0.1"]
    acme: {}
  short: {issuer: issuing, from_request: [subject.CN, san], valid: 6d, acme: {}}
  members: {issuer: issuing, from_request: [subject.CN, san], acme: {eab: {lab: c2VjcmV0LXNlY3JldA}}}
"""
BASE = "https://acme.test"


class _InProcess(httpx.BaseTransport):
    """Calls an application in this process; an exception in the application is one of the request."""

    def __init__(self, app: Starlette) -> None:
        self._transport = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def call() -> httpx.Response:
            response = await self._transport.handle_async_request(request)
            return httpx.Response(
                response.status_code, headers=response.headers, content=await response.aread()
            )

        return asyncio.run(call())


@dataclass
class Directories:
    """The directories of an environment, and what they have in common."""

    folder: Path
    http: httpx.Client
    state: State
    enroller: Enroller
    faults: EnrolmentFaults

    def set_txt(self, name: str, value: str) -> None:
        """Publish a TXT record."""
        TxtRecords(self.state).add(name, value)

    def client(self, template: str = "sensors", *, register: bool = True) -> AcmeClient:
        """Return a client with an account."""
        client = AcmeClient(self.http, f"{BASE}/acme/{template}/directory", self.set_txt)
        if register:
            assert client.register().status_code == 201
        return client


@pytest.fixture(scope="session")
def acme_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("acme")
    (directory / "acme.yaml").write_text(PROFILE)
    return build(load(directory / "acme.yaml"), directory / "out").folder


@pytest.fixture
def start(acme_environment: Path, tmp_path: Path) -> Iterator[Callable[..., Directories]]:
    """Return a function that opens the directories, again if it is called again."""
    folder = shutil.copytree(acme_environment, tmp_path / "acme", symlinks=True)
    opened = list[State]()

    def begin(ahead: timedelta = timedelta()) -> Directories:
        enroller = Enroller(folder, clock=lambda: utc_now() + ahead)
        state = State(folder)
        opened.append(state)
        faults = EnrolmentFaults()
        every = [
            route
            for one in enroller.templates.values()
            for route in routes(one, enroller, faults, state=state)
        ]
        http = httpx.Client(transport=_InProcess(Starlette(routes=every)), base_url=BASE)
        return Directories(folder, http, state, enroller, faults)

    yield begin
    for state in opened:
        state.close()


@pytest.fixture
def directories(start: Callable[..., Directories]) -> Directories:
    return start()


@pytest.fixture
def client(directories: Directories) -> AcmeClient:
    return directories.client()
