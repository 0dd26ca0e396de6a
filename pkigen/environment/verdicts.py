"""What is to be expected of a case that no fault breaks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

ORPHAN = "its issuer was issued anew, and it was not"


def of_sound(
    *,
    self_signed: bool,
    orphan: bool,
    times: tuple[datetime, datetime],
    now: datetime,
    revoked: Mapping[str, str] | None,
    fallen: str | None,
) -> dict[str, Any]:
    """The manifest's verdict: of a strict validator, at ``now``, who looks at revocation.

    ``times`` are not_before and not_after; ``fallen`` names the authority of its path that is revoked.
    """
    not_before, not_after = times
    if self_signed:
        return _reject("path", "it is self-signed and not a trust anchor")
    if orphan:
        return _reject("path", ORPHAN)
    if not_after < now:
        return _reject("path", "it has expired")
    if not_before > now:
        return _reject("path", "it is not valid yet")
    if revoked is not None:
        return _reject("revocation", f"its CRL lists it: {revoked['reason']}")
    if fallen is not None:
        return _reject("revocation", f"the authority {fallen}, above it, is revoked")
    return {"expected": "accept", "stage": None, "reason": None}


def _reject(stage: str, reason: str) -> dict[str, Any]:
    return {"expected": "reject", "stage": stage, "reason": reason}
