"""The CRL of each authority: what stands in it, when it is published anew (RFC 5280, 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2s, sha256

from pkigen.formats import pem
from pkigen.issue import Signer
from pkigen.keys.entropy import Entropy
from pkigen.model import Entity, Name
from pkigen.revocation import CertificateListPlan, RevokedCertificate, certificate_list
from pkigen.store import CrlState, Revoked, Store

_FRESH_SHARE = 4


def revocation_changes(
    entity: Entity, serials: Iterable[tuple[str, int]], known: Iterable[Revoked]
) -> tuple[list[Revoked], list[Revoked]]:
    """What a profile's word on an entity adds to the revocations, and what it takes back.

    ``serials`` are (issuer id, serial) of its certificates, ``known`` the revocations on record.
    Those made by a command are left alone.
    """
    ours = {(found.issuer_id, found.serial): found for found in known if found.source == "profile"}
    asked = entity.revocation
    if asked is None:
        return [], list(ours.values())
    added = []
    for issuer, serial in serials:
        held = ours.get((issuer, serial))
        if held is None or (held.reason, held.text) != (asked.reason, asked.text):
            at = int(asked.at.timestamp())
            added.append(Revoked(issuer, serial, entity.id, asked.reason, at, "profile", asked.text))
    return added, []


def due(
    entity: Entity, state: CrlState | None, digest: str, damaged: Sequence[str], clock: datetime
) -> tuple[str, ...]:
    """Why an authority's CRL is to be published anew; empty when it stays."""
    if state is None:
        return ("none was published yet",)
    assert entity.crl is not None
    reasons = [f"{path} is missing or was altered" for path in damaged]
    now = int(clock.timestamp())
    authority, entries = digest.split(":")
    held_authority, held_entries = state.digest.split(":")
    if authority != held_authority:
        reasons.append("its authority or its lifetime changed")
    if entries != held_entries:
        reasons.append("revocations changed")
    if entity.crl.age:
        return tuple(reasons)
    if now < state.this_update:
        reasons.append("it is from after the build's clock")
    elif now > state.next_update - entity.crl.lifetime // _FRESH_SHARE:
        reasons.append("less than a quarter of its time is left")
    return tuple(reasons)


def digest(entity: Entity, fingerprint: str, entries: Iterable[Revoked]) -> str:
    """What a CRL depends on: ``AUTHORITY:ENTRIES``, each a digest."""
    assert entity.crl is not None
    asked = entity.crl
    special = f" {asked.age} {asked.edits!r}" if asked.age or asked.edits else ""
    authority = blake2s(f"{fingerprint} {asked.lifetime}{special}".encode(), digest_size=16)
    listed = blake2s(digest_size=16)
    for entry in entries:
        listed.update(f"{entry.serial} {entry.at} {entry.reason}\n".encode())
    return f"{authority.hexdigest()}:{listed.hexdigest()}"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Signs an authority's CRL and puts it where clients find it."""

    store: Store
    clock: datetime
    entropy: Entropy | None

    def publish(self, entity: Entity, issuer: Name, signer: Signer, digest: str) -> None:
        """Publish the CRL of one authority under the next number."""
        assert entity.crl is not None
        entries = (
            RevokedCertificate(found.serial, datetime.fromtimestamp(found.at, UTC), found.reason)
            for found in self.store.index.revocations(entity.id)
        )
        begins = self.clock - timedelta(seconds=entity.crl.age)
        plan = CertificateListPlan(
            issuer,
            signer.key_identifier,
            self.store.index.next_crl_number(entity.id),
            begins,
            begins + timedelta(seconds=entity.crl.lifetime),
        )
        der = certificate_list(plan, entries, signer.key, self.entropy, entity.crl.edits)
        files = {crl_path(entity): der, f"{entity.id}/{entity.name}.crl": pem.encode("X509 CRL", der)}
        for path, data in files.items():
            self.store.write_loose(path, [data])
        self.store.index.set_crl(
            CrlState(
                entity.id,
                plan.number,
                int(plan.this_update.timestamp()),
                int(plan.next_update.timestamp()),
                digest,
                tuple((path, sha256(data).hexdigest()) for path, data in files.items()),
            )
        )


def crl_path(entity: Entity) -> str:
    """Where an authority's CRL lies below the environment's folder."""
    return f"www/crl/{entity.name}{entity.crl.suffix if entity.crl else '.crl'}"
