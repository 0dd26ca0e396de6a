"""Problem documents of ACME (RFC 8555, 6.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_PREFIX = "urn:ietf:params:acme:error:"
_STATUS = {
    "accountDoesNotExist": 400,
    "alreadyReplaced": 409,
    "alreadyRevoked": 400,
    "externalAccountRequired": 403,
    "orderNotReady": 403,
    "rateLimited": 429,
    "rejectedIdentifier": 403,
    "serverInternal": 500,
    "unauthorized": 403,
    "userActionRequired": 403,
}
"""HTTP status codes; 400 for all other types."""


class Problem(Exception):
    """A request that is refused: the type of the error (without its prefix) and the reason.

    ``identifiers`` are the refused identifiers, each with its own type and reason.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        status: int = 0,
        headers: Mapping[str, str] | None = None,
        identifiers: Sequence[tuple[Mapping[str, str], str, str]] = (),
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.status = status or _STATUS.get(kind, 400)
        self.headers = dict(headers or {})
        self._identifiers = identifiers
        self._members = dict(members or {})

    def document(self) -> dict[str, Any]:
        """Return the problem document."""
        document: dict[str, Any] = {
            "type": _PREFIX + self.kind,
            "detail": self.detail,
            "status": self.status,
            **self._members,
        }
        if self._identifiers:
            document["subproblems"] = [
                {"type": _PREFIX + kind, "detail": detail, "identifier": dict(identifier)}
                for identifier, kind, detail in self._identifiers
            ]
        return document


def malformed(detail: str) -> Problem:
    """Return the problem of a request that violates the protocol."""
    return Problem("malformed", detail)
