"""Starts a command once for each certificate, and compares its exit code with the expected verdict."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory

from pkigen.environment.environment import Case, Environment
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.os_errors import os_error_reason
from pkigen.serve import serve, serve_tls
from pkigen.serve.tls.endpoint_names import named_endpoints
from pkigen.serve.tls.expected import expected_over_tls

_HERE = "127.0.0.1"
_NOT_STARTED = (126, 127)
"""Exit codes of a shell that cannot start a command."""
_MOST_OUTPUT = 2000


class Outcome(StrEnum):
    """The comparison of a client with the verdict of a case."""

    PASSED = "passed"
    FAILED = "failed"
    KNOWN = "known"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class ClientResult:
    """What a client did with a case.

    ``actual`` is accept, reject or timeout; ``expected`` is accept, reject or varies. ``outcome`` is KNOWN if
    the client differs as announced, and OPEN if validators differ on the case, so that nothing is expected.
    """

    case: Case
    expected: str
    actual: str
    outcome: Outcome
    output: str
    seconds: float

    @property
    def says(self) -> str:
        """The difference in a sentence; empty if there is none."""
        if self.outcome is Outcome.PASSED:
            return ""
        verb = {"accept": "accepted it", "reject": "rejected it", "timeout": "did not end in time"}[
            self.actual
        ]
        expected = {
            "accept": "must accept it",
            "reject": "must reject it",
            "varies": "may accept or reject it",
        }
        reason = f": {self.case.reason}" if self.case.reason and self.expected == "reject" else ""
        return f"the client {verb}, and {expected[self.expected]}{reason}"


def run_client(
    environment: Environment,
    command: str,
    *,
    only: str = "*",
    known: Iterable[str] = (),
    timeout: float = 30,
    jobs: int | None = None,
) -> list[ClientResult]:
    """Serve an environment, and run a shell command for each certificate that a TLS server can present.

    The command finds the case in variables: PKI_URL, PKI_HOST, PKI_PORT, PKI_ADDRESS, PKI_TRUST
    (a file), PKI_CASE.
    Exit code 0 means that it accepts the certificate. ``only`` is a glob of names, ``known`` are globs of
    cases and faults on which the client is known to differ, ``timeout`` is in seconds.

    Raises InputError if no case matches or the command cannot be started, EnvironmentFailure if a port is in
    use.
    """
    first = dict[str, tuple[Case, str]]()
    for case, host in named_endpoints(environment.cases()):
        if fnmatchcase(case.name, only):
            first.setdefault(case.name, (case, host))
    if not first:
        raise InputError(f"{environment.folder}: no certificate for TLS servers matches '{only}'")
    patterns = tuple(known)
    with ExitStack() as servers:
        _serve_crls(environment, servers)
        url = servers.enter_context(serve_tls(environment.folder))
        scratch = Path(servers.enter_context(TemporaryDirectory(prefix="pkigen-client-")))
        runner = _Runner(command, url.rpartition(":")[2], timeout, patterns, scratch)
        with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
            return list(pool.map(runner.run, first.values()))


def _serve_crls(environment: Environment, servers: ExitStack) -> None:
    """Serve the URLs in the certificates until the end of ``servers``."""
    port = environment.http_port
    if port is None:
        return
    try:
        servers.enter_context(serve(environment.folder, port=port))
    except EnvironmentFailure as error:
        raise EnvironmentFailure(
            f"{environment.base_url}, to which the certificates point, cannot be served: another program has "
            "its port. Stop that program, or build with another base_url"
        ) from error


@dataclass(frozen=True, slots=True)
class _Runner:
    """The command, with what is the same for all cases."""

    command: str
    port: str
    timeout: float
    known: tuple[str, ...]
    scratch: Path

    def run(self, endpoint: tuple[Case, str]) -> ClientResult:
        case, host = endpoint
        trust = self.scratch / f"{case.name}.pem"
        trust.write_text(case.anchors_pem(), "ascii")
        variables = {
            "PKI_CASE": case.name,
            "PKI_URL": f"https://{host}:{self.port}/",
            "PKI_HOST": host,
            "PKI_PORT": self.port,
            "PKI_ADDRESS": _HERE,
            "PKI_TRUST": str(trust),
        }
        started = time.monotonic()
        code, output = _run(self.command, {**os.environ, **variables}, self.timeout)
        if code in _NOT_STARTED:
            raise InputError(f"the command of the client cannot be started: {output.strip()}")
        actual = "timeout" if code is None else "reject" if code else "accept"
        expected = expected_over_tls(case.data)
        outcome = self._outcome(case, expected, actual)
        return ClientResult(
            case, expected, actual, outcome, output[-_MOST_OUTPUT:], time.monotonic() - started
        )

    def _outcome(self, case: Case, expected: str, actual: str) -> Outcome:
        if actual == expected:
            return Outcome.PASSED
        names = (case.name, *(case.fault or "").split("+"))
        if any(fnmatchcase(name, pattern) for name in names for pattern in self.known):
            return Outcome.KNOWN
        return Outcome.OPEN if expected == "varies" and actual != "timeout" else Outcome.FAILED


def _run(command: str, environ: dict[str, str], timeout: float) -> tuple[int | None, str]:
    """Return the exit code and the output of a command; None if it was stopped, with what it started."""
    posix = sys.platform != "win32"
    try:
        process = subprocess.Popen(  # noqa: S602  the command line of the caller
            command,
            shell=True,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=posix,
        )
    except OSError as error:
        raise EnvironmentFailure(
            f"no shell for the command of the client: {os_error_reason(error)}"
        ) from error
    with process:
        try:
            output, _ = process.communicate(timeout=timeout)
            return process.returncode, output.decode(errors="replace")
        except subprocess.TimeoutExpired:
            if sys.platform != "win32":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            output, _ = process.communicate()
            return None, output.decode(errors="replace")
