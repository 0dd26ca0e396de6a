"""The state of a case at a time, with its date."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pkigen.environment.status import dated_state

_VALID = {"not_before": "2026-01-01T00:00:00Z", "not_after": "2026-11-26T00:00:00Z", "revoked": None}


@pytest.mark.parametrize(
    ("day", "data", "state"),
    [
        (datetime(2026, 6, 1, tzinfo=UTC), {}, ""),
        (datetime(2026, 12, 1, tzinfo=UTC), {}, "It expired on 2026-11-26."),
        (datetime(2025, 12, 1, tzinfo=UTC), {}, "It is not valid before 2026-01-01."),
        (
            datetime(2026, 12, 1, tzinfo=UTC),
            {"revoked": {"at": "2026-02-03T04:05:06Z", "reason": "keyCompromise"}},
            "It was revoked on 2026-02-03 (keyCompromise). It expired on 2026-11-26.",
        ),
    ],
)
def test_the_state_has_its_date(day: datetime, data: dict[str, Any], state: str) -> None:
    assert dated_state({**_VALID, **data}, day) == state
