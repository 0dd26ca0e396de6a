"""The active faults of the enrollment server: by name, number of times, operation and requested name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any

from pkigen.asn1 import names
from pkigen.errors import InputError
from pkigen.faults import ENROLMENT_FAULTS, EnrolmentFaultRequest, FaultRequest, parse_enrolment_fault
from pkigen.faults.registry import Argument
from pkigen.profile.certification_request import Requested
from pkigen.profile.enrolment import PROTOCOLS, Template
from pkigen.serve.control.request_log import FAULT, RequestLog
from pkigen.x509 import Malformed

_MOST_FAULTS = 1000
PROFILE, LIVE = "profile", "live"


@dataclass
class ActiveFault:
    """A fault of a template (all if empty). ``left`` is how often it still applies, None for always."""

    request: EnrolmentFaultRequest
    template: str = ""
    source: str = LIVE
    left: int | None = None

    @property
    def id(self) -> str:
        """The ID of the fault."""
        return self.request.fault.type.id

    @property
    def place(self) -> tuple[str, ...]:
        """What makes two active faults the same."""
        return self.id, self.template, self.request.endpoint, self.request.identifier

    def applies(self, template: str, endpoint: str, identifiers: Iterable[str]) -> bool:
        """Whether the fault applies to a request."""
        pattern = self.request.identifier.lower()
        return (
            self.template in ("", template)
            and self.request.endpoint in ("", endpoint)
            and (not pattern or any(fnmatchcase(one.lower(), pattern) for one in identifiers))
        )


@dataclass
class EnrolmentFaults:
    """The faults of a server, which can change while it runs. Safe to call from several threads.

    ``journal`` contains the last requests with the IDs of their faults.
    """

    journal: RequestLog = field(default_factory=RequestLog)
    _active: list[ActiveFault] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def of_templates(cls, templates: Iterable[Template]) -> EnrolmentFaults:
        """Return the faults that the templates of a profile define for their protocols."""
        faults = cls()
        for template in templates:
            for protocol in PROTOCOLS:
                settings = getattr(template.settings, protocol)
                for request in () if settings is None else settings.faults:
                    faults.add(ActiveFault(request, template.name, PROFILE, request.times))
        return faults

    def put(self, value: object, *, template: str = "") -> ActiveFault:
        """Set a fault from the next request on; it replaces the same fault with the same filter.

        ``value`` is its ID, or its ID with parameters: ``{"est-pending": {"times": 3}}``. InputError if it is
        invalid.
        """
        try:
            request = parse_enrolment_fault(value)
        except ValueError as error:
            raise InputError(str(error)) from None
        return self.add(ActiveFault(request, template, LIVE, request.times))

    def add(self, fault: ActiveFault) -> ActiveFault:
        """Activate a fault."""
        with self._lock:
            others = [one for one in self._active if one.place != fault.place]
            if len(others) >= _MOST_FAULTS:
                raise InputError(f"the server has {_MOST_FAULTS} faults already; remove some")
            self._active = [fault, *others]
        return fault

    def clear(self, *, id: str = "", template: str = "") -> tuple[ActiveFault, ...]:  # noqa: A002
        """Remove and return the faults with an ID, of a template, or all; those of the profile, too."""
        with self._lock:
            gone = [one for one in self._active if id in ("", one.id) and template in ("", one.template)]
            self._active = [one for one in self._active if one not in gone]
        return tuple(gone)

    @property
    def is_active(self) -> bool:
        """Whether there is any active fault."""
        return bool(self._active)

    def all(self) -> tuple[ActiveFault, ...]:
        """Return the active faults, the last one first."""
        with self._lock:
            return tuple(self._active)

    def take(
        self,
        id: str,  # noqa: A002
        *,
        template: str,
        endpoint: str,
        identifiers: Iterable[str] = (),
    ) -> dict[str, Argument] | None:
        """Return the parameters of a fault that applies to a request, and count it; None if none applies."""
        requested = tuple(identifiers)
        with self._lock:
            fault = next(
                (one for one in self._active if one.id == id and one.applies(template, endpoint, requested)),
                None,
            )
            if fault is None:
                return None
            self._count(fault)
            return fault.request.values

    def certificate_faults(
        self, *, template: str, endpoint: str, identifiers: Iterable[str] = ()
    ) -> tuple[FaultRequest, ...]:
        """Return the faults of the certificate that a request gets, and count them."""
        requested = tuple(identifiers)
        with self._lock:
            matching = [
                one
                for one in self._active
                if one.id not in ENROLMENT_FAULTS and one.applies(template, endpoint, requested)
            ]
            for fault in matching:
                self._count(fault)
            return tuple(one.request.fault for one in matching)

    def _count(self, fault: ActiveFault) -> None:
        if fault.left is not None:
            fault.left -= 1
            if fault.left <= 0:
                self._active.remove(fault)


@dataclass(frozen=True)
class RequestFaults:
    """The faults for one request: ``applied`` consumes one and notes its ID in the logs.

    ``scope`` is that of the HTTP request. ``endpoint`` is the operation, ``identifiers`` are the requested
    names.
    """

    faults: EnrolmentFaults
    scope: MutableMapping[str, Any]
    template: str
    endpoint: str = ""
    identifiers: tuple[str, ...] = ()

    @classmethod
    def none(cls) -> RequestFaults:
        """Return no faults."""
        return cls(EnrolmentFaults(), {}, "")

    def of(self, endpoint: str, identifiers: tuple[str, ...] = ()) -> RequestFaults:
        """Return the faults of an operation, once it and the requested names are known."""
        return replace(self, endpoint=endpoint, identifiers=identifiers)

    def applied(self, id: str) -> dict[str, Argument] | None:  # noqa: A002
        """Return the parameters of a fault if it applies to this request, else None."""
        values = self.faults.take(
            id, template=self.template, endpoint=self.endpoint, identifiers=self.identifiers
        )
        if values is not None:
            self._note([id])
        return values

    def of_certificate(self) -> tuple[FaultRequest, ...]:
        """Return the faults of the certificate to issue."""
        faults = self.faults.certificate_faults(
            template=self.template, endpoint=self.endpoint, identifiers=self.identifiers
        )
        self._note(one.type.id for one in faults)
        return faults

    def _note(self, ids: Iterable[str]) -> None:
        noted: Iterator[str] = (one for one in (self.scope.get(FAULT), *ids) if one)
        self.scope[FAULT] = ",".join(noted) or None


def requested_names(requested: Requested) -> tuple[str, ...]:
    """Return the common names and the alternative names in a request; empty if they cannot be read."""
    try:
        common_names = names.values(requested.subject, names.COMMON_NAME)
        alternatives = requested.extensions.alternative_names or ()
    except Malformed:
        return ()
    return (*common_names, *(str(one.value) for one in alternatives))
