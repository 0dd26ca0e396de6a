"""The CRL of each authority: what stands in it, when it is published anew (RFC 5280, 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2s, sha256
from itertools import chain

from pkigen.formats import pem
from pkigen.issue import Signer
from pkigen.keys.entropy import Entropy
from pkigen.model import CrlForm, CrlPlan, Entity
from pkigen.revocation import CertificateListPlan, RevokedCertificate, certificate_list
from pkigen.store import CrlState, Revoked, Store
from pkigen.x509 import Certificate

_FRESH_SHARE = 4
_HIGHEST_NUMBER = 1_000_000
_DAY = timedelta(days=1)


def publishes(entity: Entity) -> bool:
    """Whether an authority has a CRL that is put anywhere."""
    return entity.crl is not None and entity.crl.form is not CrlForm.NONE


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
    authority, entries = digest.split(":")
    held_authority, held_entries = state.digest.split(":")
    if authority != held_authority:
        reasons.append("its authority or its lifetime changed")
    if entries != held_entries:
        reasons.append("revocations changed")
    return (*reasons, *_time_reasons(entity.crl, state, int(clock.timestamp())))


def _time_reasons(asked: CrlPlan, state: CrlState, now: int) -> tuple[str, ...]:
    """What speaks of the clock; a CRL that is to be out of force stays as long as it is."""
    if asked.age < 0:
        return () if now < state.this_update else ("it should not have begun",)
    if asked.age > asked.lifetime:
        return () if now > state.next_update else ("it should have ended",)
    if now < state.this_update:
        return ("it is from after the build's clock",)
    if now > state.next_update - asked.lifetime // _FRESH_SHARE:
        return ("less than a quarter of its time is left",)
    return ()


def digest(entity: Entity, fingerprint: str, entries: Iterable[Revoked]) -> str:
    """What a CRL depends on: ``AUTHORITY:ENTRIES``, each a digest."""
    assert entity.crl is not None
    asked = entity.crl
    ordinary = CrlPlan(asked.lifetime, asked.url, suffix=asked.suffix)
    special = "" if asked == ordinary else f" {replace(asked, url='')!r}"
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

    def publish(self, entity: Entity, certificate: bytes, signer: Signer, digest: str) -> None:
        """Publish the CRL of one authority under the next number; ``certificate`` is the authority's."""
        asked = entity.crl
        assert asked is not None
        drawn = self.store.index.next_crl_number(entity.id)
        begins = self.clock - timedelta(seconds=asked.age)
        plan = CertificateListPlan(
            Certificate(certificate).subject,
            signer.key_identifier,
            _HIGHEST_NUMBER - drawn if asked.countdown else drawn,
            begins,
            begins + timedelta(seconds=asked.lifetime),
            asked.signature,
            asked.extensions,
        )
        files = _files(entity, self._signed(entity, plan, signer), certificate)
        if asked.countdown:
            former = replace(plan, number=plan.number + 1, this_update=begins - _DAY)
            path = f"{entity.id}/{entity.name}.former.crl"
            files[path] = pem.encode(pem.CRL, self._signed(entity, former, signer))
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

    def _signed(self, entity: Entity, plan: CertificateListPlan, signer: Signer) -> bytes:
        assert entity.crl is not None
        listed = (
            RevokedCertificate(found.serial, datetime.fromtimestamp(found.at, UTC), found.reason)
            for found in self.store.index.revocations(entity.id)
        )
        further = (
            RevokedCertificate(found.serial, plan.this_update, "unspecified", found.extensions)
            for found in entity.crl.entries
        )
        return certificate_list(plan, chain(listed, further), signer.key, self.entropy, entity.crl.edits)


def _files(entity: Entity, crl: bytes, certificate: bytes) -> dict[str, bytes]:
    """The files that a CRL is published in, in the form that is asked for."""
    assert entity.crl is not None
    as_pem = pem.encode(pem.CRL, crl)
    at_url, in_folder = {
        CrlForm.SOUND: (crl, as_pem),
        CrlForm.PEM: (as_pem, as_pem),
        CrlForm.DER: (crl, crl),
        CrlForm.EMPTY: (b"", b""),
        CrlForm.CERTIFICATE: (certificate, pem.certificate(certificate)),
    }[entity.crl.form]
    return {crl_path(entity): at_url, f"{entity.id}/{entity.name}.crl": in_folder}


def crl_path(entity: Entity) -> str:
    """Where an authority's CRL lies below the environment's folder."""
    return f"www/crl/{entity.name}{entity.crl.suffix if entity.crl else '.crl'}"
