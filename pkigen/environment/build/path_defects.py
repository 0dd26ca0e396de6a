"""Records which end entities of a build no client accepts because of their path, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pkigen.environment.build.diff import Decision
from pkigen.model import Role
from pkigen.plan import Plan
from pkigen.plan.path_expectations import PathDefect, PathExpectations

_MOST_NAMES = 3


class PathDefects:
    """The defects of the paths of end entities, by id, as far as their decisions are recorded."""

    def __init__(self, plan: Plan) -> None:
        self.by_id: dict[str, PathDefect] = {}
        self._expectations = PathExpectations(plan.authorities, plan.clock)
        self._without_fault: dict[str, list[str]] = {}

    def record(self, decision: Decision, *, stays: bool) -> None:
        """Record an entity, issuers first; an authority that ``stays`` keeps its recorded validity."""
        entity, entry = decision.entity, decision.entry
        if entity.role is Role.CERTIFICATE:
            defect = self._expectations.defect(entity)
            if defect is not None:
                self.by_id[entity.id] = defect
                if entity.fault is None:
                    self._without_fault.setdefault(defect.reason, []).append(entity.name)
        elif stays and entry is not None:
            times = (datetime.fromtimestamp(time, UTC) for time in (entry.not_before, entry.not_after))
            self._expectations.times[entity.id] = next(times), next(times)

    def notes(self) -> Iterator[str]:
        """Yield one note for each reason, with the names of the certificates."""
        for reason, names in self._without_fault.items():
            more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            yield f"clients reject {', '.join(names[:_MOST_NAMES])}{more}: {reason}"
