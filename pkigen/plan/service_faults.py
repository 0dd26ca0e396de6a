"""Faults of the published service: responses of the CRL, AIA, and OCSP URLs of unmodified authorities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Literal

from pkigen.documents.fields import close_to
from pkigen.errors import InputError, Problem
from pkigen.faults import Case, FaultRequest, Impossible
from pkigen.faults.description import copied_alike
from pkigen.keys.kinds import parse_kind, refusal
from pkigen.model import CrlForm, CrlPlan, Entity, OcspPlan
from pkigen.plan.defaults import ocsp_url
from pkigen.plan.entities import Planner
from pkigen.plan.sample import sample_case
from pkigen.profile import Profile
from pkigen.profile.top_level import Serving

Target = Literal["crl", "ca", "ocsp", "port"]
"""The target of a fault: an authority's CRL, its certificate URL, its OCSP responses, or the port."""

CLOSED = "closed"
"""State of a port without a listener."""
ISSUED = "issued"
"""Argument of ``other`` that selects a certificate issued by the authority."""

_FAMILIES = ("access", "crl", "ocsp")
_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
_HANDSHAKE = "tls"
# The fault moves the URL to a port without a listener. A fixed URL can only have its port closed.
_PORT = "cdp-unreachable"
_AS_IT_IS = CrlPlan(7 * 86400, "http://pki.test/crl/sample.crl")


@dataclass(frozen=True)
class Effect:
    """The effect of a fault: the server's behavior (model.Serving), or the CRL or OCSP response."""

    target: Target
    how: str = ""
    argument: str = ""
    crl: CrlPlan | None = None
    ocsp: OcspPlan | None = None


def effect(fault: FaultRequest, key: str = "rsa-2048", crl: CrlPlan = _AS_IT_IS) -> Effect:
    """Return the effect of a fault for an authority's key kind and CRL; raise Impossible with the reason.

    The CRL plan in the effect has the authority's own URL.
    """
    if fault.type.id == _PORT:
        return Effect("port", CLOSED)
    if fault.type.family not in _FAMILIES:
        raise Impossible(_elsewhere(fault))
    sound = sample_case(_CLOCK)
    issuing = sound.authorities[0]
    assert issuing.crl is not None
    # Use the sample's URL, because the sample's certificate contains it.
    issuing = replace(issuing, key=key, crl=replace(crl, url=issuing.crl.url))
    sound = replace(sound, authorities=(issuing, *sound.authorities[1:]))
    made = fault.apply(sound)
    result = _published(fault, copied_alike(sound, made), made)
    for plan in (result.crl, result.ocsp):
        if plan is not None and (words := refusal(parse_kind(key), plan.signature)):
            raise Impossible(words)
    return result if result.crl is None else replace(result, crl=replace(result.crl, url=crl.url))


@cache
def service_faults() -> dict[str, Target]:
    """Return the ids of the service faults, with their targets."""
    from pkigen.faults import FAULTS

    targets = dict[str, Target]()
    for one in FAULTS.values():
        try:
            targets[one.id] = effect(FaultRequest(one)).target
        except Impossible:
            continue
    return targets


def _published(fault: FaultRequest, plain: Case, made: Case) -> Effect:
    """Return the difference in service between a case and the same case without the fault."""
    issuing, was = made.authorities[0], plain.authorities[0]
    targets: dict[str, Target] = {issuing.crl.url if issuing.crl else "": "crl", issuing.ca_url or "": "ca"}
    if made.entity.ocsp is not None:
        targets[made.entity.ocsp.url] = "ocsp"
    for serving in made.entity.serving:
        if serving.url != _HANDSHAKE:
            argument = ISSUED if serving.argument == made.entity.id else serving.argument
            return Effect(targets[serving.url], serving.how, argument)
    _check_nothing_else(fault, plain, made)
    if made.entity.ocsp is not None:
        if issuing.crl != was.crl:
            raise Impossible(f"'{fault.type.id}' needs a CRL and an OCSP response with a fault")
        return Effect("ocsp", ocsp=made.entity.ocsp)
    if issuing.crl is None or issuing.crl == was.crl or issuing.crl.form is CrlForm.DER:
        raise Impossible(_elsewhere(fault))
    if issuing.crl.form is CrlForm.NONE:
        return Effect("crl", "status", "404")
    return Effect("crl", crl=issuing.crl)


def _check_nothing_else(fault: FaultRequest, plain: Case, made: Case) -> None:
    """Refuse a fault that changes a certificate or a key, or that revokes a certificate."""
    one, other = made.entity, plain.entity
    if one.serving or one.revocation != other.revocation or len(made.authorities) != len(plain.authorities):
        raise Impossible(_elsewhere(fault))
    if one.certificates[0].serial != other.certificates[0].serial:
        raise Impossible(_elsewhere(fault))  # an entry of the CRL is about the certificate
    for copy, was in zip(made.authorities, plain.authorities, strict=True):
        if copy.key != was.key:
            raise Impossible(f"'{fault.type.id}' needs another kind of key than {was.key}")
        if _issued(copy) != _issued(was) or copy.revocation != was.revocation:
            raise Impossible(_elsewhere(fault))
    if made.entity.ocsp is None and _issued(made.entity) != _issued(plain.entity):
        raise Impossible(_elsewhere(fault))


def _issued(entity: Entity) -> object:
    """Return the intentional faults of a certificate, without names and URLs, which belong to the copy."""
    return [(plan.edits, plan.extensions, plan.not_before, plan.not_after) for plan in entity.certificates]


def _elsewhere(fault: FaultRequest) -> str:
    return f"'{fault.type.id}' is about a certificate, not about what is served for those that are sound"


@dataclass(frozen=True)
class PlannedServing:
    """A catalog fault, by its id, at the URL of data that an authority publishes."""

    of: str
    url: str
    fault: str
    arguments: tuple[tuple[str, str], ...]


def serving_of(profile: Profile, planner: Planner) -> tuple[PlannedServing, ...]:
    """Return the planned service faults; raise InputError for all impossible ones."""
    if not profile.serving:
        return ()
    authorities = {entity.name: entity for entity in planner.authorities}
    planned, problems = dict[tuple[str, str], PlannedServing](), list[Problem]()
    for number, request in enumerate(profile.serving):
        place, entity = ("serving", number), authorities.get(request.of)
        if entity is None:
            close = close_to(request.of, tuple(authorities))
            hint = f" (did you mean '{close}'?)" if close else ""
            words = f"no authority is called '{request.of}'{hint}"
            problems.append(profile.top_problem((*place, "of"), words))
            continue
        try:
            made = effect(request.fault, entity.key, *([entity.crl] if entity.crl else []))
        except Impossible as error:
            problems.append(profile.top_problem((*place, "fault"), str(error)))
            continue
        problems += [
            profile.top_problem((*place, key), words) for key, words in _wrong(request, entity, made)
        ]
        if (request.of, made.target) in planned:
            words = (
                f"'{request.of}' has a fault of this kind already, and one at a time is what can be served"
            )
            problems.append(profile.top_problem(place, words))
        url = {
            "crl": entity.crl.url if entity.crl else "",
            "ca": entity.ca_url or "",
            "ocsp": ocsp_url(profile.base_url),
        }.get(made.target, "")
        fault = request.fault
        planned[request.of, made.target] = PlannedServing(request.of, url, fault.type.id, fault.arguments)
    if problems:
        raise InputError(problems)
    return tuple(planned.values())


def _wrong(request: Serving, entity: Entity, made: Effect) -> Iterator[tuple[str, str]]:
    """Yield the reasons why a fault cannot be served for an authority, each with its key."""
    if made.target == "port":
        words = "is a fault of the whole server; use it at run time with `pkigen serve --control-port`"
        yield "fault", f"'{request.fault.type.id}' {words}"
    elif made.target == "crl" and entity.crl is None:
        yield "of", f"the authority '{entity.name}' publishes no CRL"
    elif made.target == "ocsp" and entity.imported is not None and entity.imported.key is None:
        yield "of", f"the authority '{entity.name}' has no key here, and answers no OCSP requests"
    elif (made.crl is not None or made.ocsp is not None) and entity.output.passphrase is not None:
        words = "its key is under a passphrase, and a server cannot sign with it"
        yield "of", f"the authority '{entity.name}': {words}"
