"""Faults of the published service: what CRL, AIA, and OCSP URLs of sound authorities return."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Literal

from pkigen.documents.fields import close_to
from pkigen.errors import InputError, Problem
from pkigen.faults import FAULTS, AskedFault, Case, Impossible
from pkigen.faults.description import copied_alike
from pkigen.keys.kinds import parse_kind, refusal
from pkigen.model import CrlForm, CrlPlan, Entity, OcspPlan
from pkigen.plan.defaults import ocsp_url
from pkigen.plan.entities import Planner
from pkigen.plan.sample import sample_case
from pkigen.profile import Profile
from pkigen.profile.top_level import Serving

Target = Literal["crl", "ca", "ocsp", "port"]
"""What of an authority a fault is about: its CRL, its certificate at its URL, the OCSP answers about what
it issued; or the server's port."""

CLOSED = "closed"
"""How a port is where nobody listens."""
ISSUED = "issued"
"""The argument of ``other`` where a certificate that the authority issued is to be given."""

_FAMILIES = ("access", "crl", "ocsp")
_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
_HANDSHAKE = "tls"
# It moves the URL to a port where nobody listens: of a URL that stays, the port is what is left.
_PORT = "cdp-unreachable"
_AS_IT_IS = CrlPlan(7 * 86400, "http://pki.test/crl/sample.crl")


@dataclass(frozen=True)
class Effect:
    """What a fault does: how a server behaves (model.Serving), or what the CRL or the answer is."""

    target: Target
    how: str = ""
    argument: str = ""
    crl: CrlPlan | None = None
    ocsp: OcspPlan | None = None


def effect(asked: AskedFault, key: str = "rsa-2048", crl: CrlPlan = _AS_IT_IS) -> Effect:
    """What a fault does to an authority with a kind of key and a CRL; Impossible says why it cannot.

    The CRL's plan in the effect has the authority's own URL.
    """
    if asked.type.id == _PORT:
        return Effect("port", CLOSED)
    if asked.type.family not in _FAMILIES:
        raise Impossible(_elsewhere(asked))
    sound = sample_case(_CLOCK)
    issuing = sound.authorities[0]
    assert issuing.crl is not None
    # At the sample's URL, to which the sample's certificate leads.
    issuing = replace(issuing, key=key, crl=replace(crl, url=issuing.crl.url))
    sound = replace(sound, authorities=(issuing, *sound.authorities[1:]))
    made = asked.apply(sound)
    found = _published(asked, copied_alike(sound, made), made)
    for plan in (found.crl, found.ocsp):
        if plan is not None and (words := refusal(parse_kind(key), plan.signature)):
            raise Impossible(words)
    return found if found.crl is None else replace(found, crl=replace(found.crl, url=crl.url))


@cache
def service_faults() -> dict[str, Target]:
    """The ids of the faults that are about the service, and of what of it."""
    found = dict[str, Target]()
    for one in FAULTS.values():
        try:
            found[one.id] = effect(AskedFault(one)).target
        except Impossible:
            continue
    return found


def _published(asked: AskedFault, plain: Case, made: Case) -> Effect:
    """What is served otherwise than of a sound case with the same copies of authorities."""
    issuing, was = made.authorities[0], plain.authorities[0]
    targets: dict[str, Target] = {issuing.crl.url if issuing.crl else "": "crl", issuing.ca_url or "": "ca"}
    if made.entity.ocsp is not None:
        targets[made.entity.ocsp.url] = "ocsp"
    for serving in made.entity.serving:
        if serving.url != _HANDSHAKE:
            argument = ISSUED if serving.argument == made.entity.id else serving.argument
            return Effect(targets[serving.url], serving.how, argument)
    _check_nothing_else(asked, plain, made)
    if made.entity.ocsp is not None:
        return Effect("ocsp", ocsp=made.entity.ocsp)
    if issuing.crl is None or issuing.crl == was.crl or issuing.crl.form is CrlForm.DER:
        raise Impossible(_elsewhere(asked))
    if issuing.crl.form is CrlForm.NONE:
        return Effect("crl", "status", "404")
    return Effect("crl", crl=issuing.crl)


def _check_nothing_else(asked: AskedFault, plain: Case, made: Case) -> None:
    """Refuse what changes a certificate or a key, or revokes: what is issued already stays as it is."""
    if made.entity.serving or made.entity.revocation != plain.entity.revocation:
        raise Impossible(_elsewhere(asked))
    for found, was in zip(made.authorities, plain.authorities, strict=True):
        if found.key != was.key:
            raise Impossible(f"'{asked.type.id}' needs another kind of key than {was.key}")
        if _issued(found) != _issued(was) or found.revocation != was.revocation:
            raise Impossible(_elsewhere(asked))
    if made.entity.ocsp is None and _issued(made.entity) != _issued(plain.entity):
        raise Impossible(_elsewhere(asked))


def _issued(entity: Entity) -> object:
    """What is wrong on purpose in a certificate: names and URLs are those of copies."""
    return [(plan.edits, plan.extensions, plan.not_before, plan.not_after) for plan in entity.certificates]


def _elsewhere(asked: AskedFault) -> str:
    return f"'{asked.type.id}' is about a certificate, not about what is served for those that are sound"


@dataclass(frozen=True)
class PlannedServing:
    """A fault of the catalogue, by its id, at the URL of something that an authority publishes."""

    of: str
    url: str
    fault: str
    arguments: tuple[tuple[str, str], ...]


def serving_of(profile: Profile, planner: Planner) -> tuple[PlannedServing, ...]:
    """What is to be served wrong; InputError for all that cannot be."""
    if not profile.serving:
        return ()
    authorities = {entity.name: entity for entity in planner.authorities}
    found, problems = dict[tuple[str, str], PlannedServing](), list[Problem]()
    for number, asked in enumerate(profile.serving):
        place, entity = ("serving", number), authorities.get(asked.of)
        if entity is None:
            close = close_to(asked.of, tuple(authorities))
            hint = f" (did you mean '{close}'?)" if close else ""
            words = f"no authority is called '{asked.of}'{hint}"
            problems.append(profile.top_problem((*place, "of"), words))
            continue
        try:
            made = effect(asked.fault, entity.key, *([entity.crl] if entity.crl else []))
        except Impossible as error:
            problems.append(profile.top_problem((*place, "fault"), str(error)))
            continue
        problems += [profile.top_problem((*place, key), words) for key, words in _wrong(asked, entity, made)]
        if (asked.of, made.target) in found:
            words = f"'{asked.of}' has a fault of this kind already, and one at a time is what can be served"
            problems.append(profile.top_problem(place, words))
        url = {
            "crl": entity.crl.url if entity.crl else "",
            "ca": entity.ca_url or "",
            "ocsp": ocsp_url(profile.base_url),
        }.get(made.target, "")
        fault = asked.fault
        found[asked.of, made.target] = PlannedServing(asked.of, url, fault.type.id, fault.arguments)
    if problems:
        raise InputError(problems)
    return tuple(found.values())


def _wrong(asked: Serving, entity: Entity, made: Effect) -> Iterator[tuple[str, str]]:
    """What keeps a fault from being served for an authority: at which key, and why."""
    if made.target == "port":
        words = "is about the whole server: it can be had while that runs, by `pkigen serve --control-port`"
        yield "fault", f"'{asked.fault.type.id}' {words}"
    elif made.target == "crl" and entity.crl is None:
        yield "of", f"the authority '{entity.name}' publishes no CRL"
    elif made.target == "ocsp" and entity.crl is None:
        yield "of", f"the authority '{entity.name}' has no key here, and answers no OCSP requests"
    elif (made.crl is not None or made.ocsp is not None) and entity.output.passphrase is not None:
        words = "its key is under a passphrase, and a server cannot sign with it"
        yield "of", f"the authority '{entity.name}': {words}"
