"""The rate limits of an ACME directory."""

from __future__ import annotations

from pkigen.enrolment.rate_limits import RateLimit


class RateLimits:
    """The limits of a directory: generous for tests, and small enough that a client in a loop meets them."""

    def __init__(self) -> None:
        self.accounts = RateLimit(1000, 600)
        self.orders = RateLimit(3000, 600)
        self.failures = RateLimit(100, 600)
