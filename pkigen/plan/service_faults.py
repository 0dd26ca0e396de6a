"""What the catalogue's faults mean for the service of a sound authority, rather than for a case.

There is one definition of a fault, its function. It is run here on the sample case, whose issuing CA gets
the sound authority's kind of key and CRL first, and what it did to what is published is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Literal

from pkigen.faults import FAULTS, AskedFault, Case, Impossible
from pkigen.faults.description import copied_alike
from pkigen.keys.capabilities import refusal
from pkigen.keys.kinds import parse_kind
from pkigen.model import CrlForm, CrlPlan, Entity, OcspPlan
from pkigen.plan.sample import sample_case

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
