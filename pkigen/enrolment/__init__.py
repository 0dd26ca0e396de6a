"""The enrollment server: certificates for devices that keep their own key.

``server`` is the TLS server with the routes of each protocol; ``server_certificate`` selects the certificate
that it presents. Each protocol is a package: ``acme``, ``est``, ``scep``, ``cmp``. ``serve_enrolment`` is the
Python API; ``pkigen serve --enrol-port`` does the same in the foreground.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pkigen.enrolment.server import EnrolmentServer

__all__ = ["serve_enrolment"]


@contextmanager
def serve_enrolment(
    folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    at: datetime | None = None,
    passphrases: Sequence[bytes] = (),
) -> Iterator[EnrolmentServer]:
    """Serve the enrollment protocols of the environment in ``folder`` for the duration of the block.

    Yields the server: its ``url``, and ``services`` with the URL of each template and protocol. ``at`` is
    the start time of the protocols' clock (default: now). ``passphrases`` decrypt the keys of CAs. Raises
    InputError if the profile has no section ``enrolment``, EnvironmentFailure if it cannot listen.
    """
    from pkigen.clock import going_on_from, utc_now
    from pkigen.enrolment.server import serving
    from pkigen.environment.enrol import Enroller
    from pkigen.serve.http.server import listen

    clock = utc_now if at is None else going_on_from(at)
    enroller = Enroller(Path(folder), clock=clock, passphrases=passphrases)
    with (
        listen(host, port, "https", "--enrol-port") as listener,
        serving(enroller, listener, passphrases) as server,
    ):
        yield server
