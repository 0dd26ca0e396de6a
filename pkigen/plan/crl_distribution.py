"""Where an authority's CRLs are published, and which of them its certificates name (RFC 5280, 4.2.1.13)."""

from __future__ import annotations

from hashlib import blake2s

from pkigen.asn1 import der, oids
from pkigen.asn1.oids import REASON_FLAGS
from pkigen.clock import parse_span
from pkigen.model import CrlPart, CrlPlan, Extension, Name, Role
from pkigen.plan.extensions import point
from pkigen.profile import AuthoritySpec
from pkigen.revocation.crl import freshest_crl

CRL_LIFE = parse_span("7d")
"""How long CRLs are good for of which nobody says it."""
DELTA = "delta"
INDIRECT = "indirect"


def partition_of(name: str, count: int) -> int:
    """Which of ``count`` partitions the certificates of an entity belong to, by its name."""
    return int.from_bytes(blake2s(name.encode(), digest_size=8).digest(), "big") % count


def crl_plan(spec: AuthoritySpec, lifetime: int, delta: int, url: str, *, lists_others: bool) -> CrlPlan:
    """The CRL of an authority and its parts; lifetimes in seconds."""
    asked, parts = spec.crl, list[CrlPart]()
    if delta:
        parts.append(CrlPart(DELTA, delta=delta))
    if asked.partitions:
        count = asked.partitions
        parts += [CrlPart(f"part-{number + 1}", partition=(number, count)) for number in range(count)]
    if asked.reasons:
        rest = tuple(reason for reason in REASON_FLAGS[1:] if reason not in asked.reasons)
        parts.append(CrlPart("reasons", reasons=tuple(sorted(asked.reasons, key=REASON_FLAGS.index))))
        parts.append(CrlPart("other-reasons", reasons=rest))
    if lists_others:
        parts.append(CrlPart(INDIRECT, indirect=True))
    indirect_crl_issuer = f"{Role.AUTHORITY}/{asked.issuer}" if asked.issuer else ""
    return CrlPlan(lifetime, url, parts=tuple(parts), indirect_crl_issuer=indirect_crl_issuer)


def points(
    crl: CrlPlan, partition: int, lister: tuple[CrlPlan, Name] | None
) -> tuple[Extension, Extension | None]:
    """What the certificates of a partition say of their issuer's CRLs: where they are, and the freshest.

    ``lister`` is the CRL and the subject of the authority that lists its revocations, if it is another.
    """
    delta = next((part for part in crl.parts if part.delta), None)
    if lister is not None:
        other, subject = lister
        found = [point([other.part_url(part)], (), subject) for part in other.parts if part.indirect]
    else:
        mine = (part for part in crl.parts if part.reasons or (part.partition or (-1,))[0] == partition)
        found = [point([crl.part_url(part)], part.reasons) for part in mine] or [point([crl.url])]
    extension = Extension(oids.CRL_DISTRIBUTION_POINTS, False, der.sequence(*found))
    return extension, freshest_crl(crl.part_url(delta)) if delta else None
