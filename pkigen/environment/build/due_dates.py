"""Computes until when a build that leaves nothing to do would again find nothing to do.

The clock of a build is compared with the times that the index records, shifted by periods such as that of a
renewal. Planned times are the clock plus a span; a build compares them with the fixed times in the profile,
its requirement sets and its imported authorities. The result of a comparison changes only when one side
reaches the other, or another day: months and years count from a date.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import datetime, timedelta
from itertools import chain

from pkigen.clock import Span, shift
from pkigen.model import Entity
from pkigen.x509 import Certificate

_DAY = 86400
_MOST_SPANS = 200


class DueDates:
    """Collects the times and the spans of a build with the clock ``clock`` (UTC).

    ``fixed`` are the planned times that the profile states as dates, complete once everything is planned.
    """

    def __init__(self, clock: datetime, fixed: Set[datetime]) -> None:
        self._clock = clock
        self._now = int(clock.timestamp())
        self._fixed = fixed
        self._times = set[int]()
        self._periods = {0}
        self._spans = {0}
        self._entities = set[object]()

    def add_entity(self, entity: Entity) -> None:
        """Add the times of an entity as planned, and those of the files that it was imported from."""
        times = [time for one in entity.certificates for time in (one.not_before, one.not_after)]
        key = (entity.renew_before, *times)
        if key not in self._entities:
            self._entities.add(key)
            self._periods.add(entity.renew_before)
            self._spans |= {self._seconds(time) - self._now for time in times if time not in self._fixed}
        if entity.imported is not None:
            for certificate in map(Certificate, (entity.imported.certificate, *entity.imported.chain)):
                self._times |= {self._seconds(certificate.not_before), self._seconds(certificate.not_after)}
        if entity.crl is not None:
            deltas = {part.delta for part in entity.crl.parts if part.delta}
            self._periods |= {entity.crl.lifetime // 4, *(delta // 4 - delta for delta in deltas)}
        if entity.ocsp is not None:
            self._periods.add((entity.ocsp.lifetime or 0) // 4)

    def add_document(self, document: object) -> None:
        """Add all times and spans in a document, such as a requirement set."""
        for value in _values(document):
            if isinstance(value, datetime):
                self._times.add(self._seconds(value))
            elif isinstance(value, Span):
                self._spans.add(self._seconds(shift(self._clock, value)) - self._now)
            else:
                self._periods |= {int(value.total_seconds()), -int(value.total_seconds())}

    def first_after_clock(self, begins: Iterable[int], ends: Iterable[int]) -> int | None:
        """Return the earliest time at which a comparison can change; None if there are too many to tell.

        ``begins`` and ``ends`` are the recorded times at which something becomes valid or expires. All times
        are in seconds since the epoch.
        """
        fixed = self._times | {self._seconds(time) for time in self._fixed}
        spans = self._spans | self._periods
        if len(spans) > _MOST_SPANS:
            return None
        differences = {one - other for one in spans for other in spans}
        changes = chain(
            map(self._next_day, self._spans),
            self._reached(begins, self._periods, 0),
            self._reached(ends, self._periods, 1),
            self._reached(fixed, differences, 1),
        )
        return min(changes)

    def _next_day(self, span: int) -> int:
        moved = self._now + span
        return moved - moved % _DAY + _DAY - span

    def _reached(self, times: Iterable[int], spans: Iterable[int], inclusive: int) -> Iterator[int]:
        """Yield when the clock plus a span next reaches a time.

        With ``inclusive``, the second before and the second after count as well: some comparisons include
        the end of a period, some do not.
        """
        ordered = sorted(set(times))
        for span in spans:
            position = bisect_left(ordered, self._now + span + 1 - inclusive)
            if position < len(ordered):
                yield max(ordered[position] - span - inclusive, self._now + 1)

    def _seconds(self, time: datetime) -> int:
        return int(time.timestamp())


def _values(document: object) -> Iterator[datetime | timedelta | Span]:
    """Yield the times and spans in a model of pydantic, or in a collection of models."""
    if isinstance(document, datetime | timedelta | Span):
        yield document
    elif isinstance(document, Mapping):
        for value in document.values():
            yield from _values(value)
    elif isinstance(document, list | tuple | set | frozenset):
        for value in document:
            yield from _values(value)
    elif hasattr(document, "model_fields_set"):
        yield from _values(vars(document))
