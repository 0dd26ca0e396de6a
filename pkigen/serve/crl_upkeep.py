"""Background thread that refreshes the CRLs of an environment while it is served."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pkigen.environment.crl.upkeep import Upkeep
from pkigen.errors import PkigenError

_SECONDS = 1.0
_SECONDS_AFTER_FAILURE = 30.0


@contextmanager
def crl_upkeep(upkeep: Upkeep, tell: Callable[[str], None]) -> Iterator[None]:
    """Publish due CRLs before and during the block; ``tell`` receives a message for each.

    Failures are reported and retried; until then the server serves the existing CRLs.
    """
    ended = threading.Event()

    def attempt() -> float:
        try:
            for crl in upkeep.run():
                tell(f"CRL {crl.number} of {crl.authority} published: {crl.reasons[0]}.")
        except PkigenError as error:
            tell(f"Cannot publish new CRLs; retrying: {error}")
            return _SECONDS_AFTER_FAILURE
        return _SECONDS

    def keep(seconds: float) -> None:
        while not ended.wait(seconds):
            seconds = attempt()

    thread = threading.Thread(target=keep, args=(attempt(),), name="pkigen-upkeep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
