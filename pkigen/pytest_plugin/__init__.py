"""The pytest plugin: an environment for the tests of a session, its servers, and its cases as parameters.

    def test_trusts_our_root(pki, pki_server, pki_dns):
        case = pki["server"]
        httpx.get(pki_server.url_of(case), verify=case.client_context())

    @pytest.mark.pki_cases("negative", faults="validity/*", expected="reject")
    def test_refuses_wrong_dates(pki_case, pki_server, pki_dns):
        ...

Every pytest run with pkigen installed imports this module, so other modules are imported on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pkigen.api.ca import CA
    from pkigen.api.environment import Case, Environment
    from pkigen.enrolment.server import EnrolmentServer
    from pkigen.pytest_plugin.servers import PkiServer
    from pkigen.pytest_plugin.session import PkiSession, Source

__all__ = ["PkiServer"]

_MARK = (
    "pki_cases(profile=None, *, faults=None, names=None, expected=None, stages=None): run the test for each "
    "case of a profile, as its argument pki_case; faults are ids or globs of FAMILY/ID, names a glob, "
    "expected one or several of accept, reject, varies, stages of path, name, revocation ..."
)
_SESSION = pytest.StashKey["PkiSession"]()


def __getattr__(name: str) -> object:
    if name == "PkiServer":
        from pkigen.pytest_plugin.servers import PkiServer

        return PkiServer
    raise AttributeError(f"module 'pkigen.pytest_plugin' has no attribute '{name}'")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini options."""
    parser.addini("pki_profile", "the profile: a path below rootdir, or a shipped name", default="minimal")
    parser.addini(
        "pki_out", "directory below rootdir that keeps the environments (default: temporary)", default=""
    )
    parser.addini("pki_seed", "seed for reproducible environments", default="")
    parser.addini("pki_base_url", "base URL of CRLs and OCSP (default: free local port)", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line("markers", _MARK)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop servers that are still running."""
    session = config.stash.get(_SESSION, None)
    if session is not None:
        session.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a marked test for each case of its mark."""
    mark = metafunc.definition.get_closest_marker("pki_cases")
    if mark is None:
        return
    from pkigen.pytest_plugin.cases import parametrize

    parametrize(metafunc, mark)


@pytest.fixture(scope="session")
def pki_session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PkiSession]:
    """The environments and servers of this session."""
    from pkigen.pytest_plugin.session import open_session

    session = request.config.stash[_SESSION] = open_session(request.config, tmp_path_factory)
    yield session
    session.close()


@pytest.fixture(scope="session")
def pki_build(pki_session: PkiSession) -> Callable[[Source], Environment]:
    """Build a profile (a path, a shipped name, a mapping) once per session."""
    return pki_session.build


@pytest.fixture(scope="session")
def pki(request: pytest.FixtureRequest, pki_build: Callable[[Source], Environment]) -> Environment:
    """The environment of the session's profile; in a test with pki_cases, of the marked profile."""
    source: Source = getattr(request, "param", None) or request.config.getini("pki_profile")
    return pki_build(source)


@pytest.fixture(scope="session")
def pki_server(pki: Environment, pki_session: PkiSession) -> PkiServer:
    """CRLs, CA certificates and OCSP of ``pki`` over HTTP, and its certificates over TLS."""
    return pki_session.serve(pki)


@pytest.fixture(scope="session")
def pki_ca() -> CA:
    """A CA in memory; ``pki_ca.issue("host.test")`` issues a certificate and writes no file."""
    from pkigen.api.ca import CA

    return CA()


@pytest.fixture
def pki_enrolment(pki: Environment) -> Iterator[EnrolmentServer]:
    """The enrollment server of ``pki`` during the test; ``fault`` and ``clear`` change its faults."""
    from pkigen.enrolment import serve_enrolment

    with serve_enrolment(pki.folder) as server:
        yield server


@pytest.fixture
def pki_case(request: pytest.FixtureRequest, pki: Environment) -> Case:
    """The case that a test marked with pki_cases runs for."""
    name = getattr(request, "param", None)
    if name is None:
        pytest.fail("pki_case is for tests marked with @pytest.mark.pki_cases(...)", pytrace=False)
    return pki[name]


@pytest.fixture
def pki_dns(pki: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve the host names of ``pki`` to 127.0.0.1 in Python during the test."""
    from pkigen.pytest_plugin.name_resolution import resolve_here

    resolve_here(pki, monkeypatch)
