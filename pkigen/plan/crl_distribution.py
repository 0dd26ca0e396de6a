"""CRL URLs of an authority, and the URLs that its certificates contain (RFC 5280, 4.2.1.13)."""

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
"""Default lifetime of CRLs."""
DELTA = "delta"
INDIRECT = "indirect"


def partition_of(name: str, count: int) -> int:
    """Return the partition (0 to ``count`` - 1) of an entity's certificates, derived from its name."""
    return int.from_bytes(blake2s(name.encode(), digest_size=8).digest(), "big") % count


def crl_plan(spec: AuthoritySpec, lifetime: int, delta: int, url: str, *, lists_others: bool) -> CrlPlan:
    """Return the plan of an authority's CRL and its parts; lifetimes in seconds."""
    settings, parts = spec.crl_settings, list[CrlPart]()
    if delta:
        parts.append(CrlPart(DELTA, delta=delta))
    if settings.partitions:
        count = settings.partitions
        parts += [CrlPart(f"part-{number + 1}", partition=(number, count)) for number in range(count)]
    if settings.reasons:
        rest = tuple(reason for reason in REASON_FLAGS[1:] if reason not in settings.reasons)
        parts.append(CrlPart("reasons", reasons=tuple(sorted(settings.reasons, key=REASON_FLAGS.index))))
        parts.append(CrlPart("other-reasons", reasons=rest))
    if lists_others:
        parts.append(CrlPart(INDIRECT, indirect=True))
    indirect_crl_issuer = f"{Role.AUTHORITY}/{settings.issuer}" if settings.issuer else ""
    return CrlPlan(lifetime, url, parts=tuple(parts), indirect_crl_issuer=indirect_crl_issuer)


def points(
    crl: CrlPlan, partition: int, lister: tuple[CrlPlan, Name] | None
) -> tuple[Extension, Extension | None]:
    """Return the CRL distribution points and the freshest CRL for the certificates of a partition.

    ``lister`` is the CRL and the subject of the authority that issues the indirect CRL, if any.
    """
    delta = next((part for part in crl.parts if part.delta), None)
    if lister is not None:
        other, subject = lister
        points_der = [point([other.part_url(part)], (), subject) for part in other.parts if part.indirect]
    else:
        mine = (part for part in crl.parts if part.reasons or (part.partition or (-1,))[0] == partition)
        points_der = [point([crl.part_url(part)], part.reasons) for part in mine] or [point([crl.url])]
    extension = Extension(oids.CRL_DISTRIBUTION_POINTS, False, der.sequence(*points_der))
    return extension, freshest_crl(crl.part_url(delta)) if delta else None
