"""Signs an authority's CRLs and writes them to the paths of their URLs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import chain
from pathlib import Path

from pkigen.clock import later, parse_moment, resolve_moment
from pkigen.environment.crl.entries import crl_entries, delta_entries, indirect_entries
from pkigen.environment.crl.schedule import FRESH_SHARE
from pkigen.environment.published.publishers import CrlIssuer
from pkigen.formats import pem
from pkigen.issue import Signer
from pkigen.keys.entropy import Entropy
from pkigen.model import AdditionalCrl, CrlForm, CrlPart, CrlPlan, Extension, Role
from pkigen.revocation import CertificateListPlan, RevokedCertificate, certificate_list
from pkigen.revocation.crl import delta_indicator, freshest_crl, issuing_distribution_point
from pkigen.store import CrlState, Store
from pkigen.x509 import Certificate, CertificateList, Malformed

BUNDLE = "crls.pem"
"""The file with the CRLs of all authorities, relative to the environment."""
_HIGHEST_NUMBER = 1_000_000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CrlPublisher:
    """Publishes the CRLs of an environment; ``others`` are all authorities that publish one."""

    store: Store
    clock: datetime
    entropy: Entropy | None
    others: Iterable[CrlIssuer]

    def publish(
        self, issuer: CrlIssuer, certificate: bytes, signer: Signer, digest: str, *, new_base: bool = True
    ) -> int:
        """Publish all CRLs of one authority under the next CRL number and return the number.

        ``certificate`` is the authority's. A delta CRL keeps its base unless ``new_base`` is set or the
        base is about to expire.
        """
        number = self.store.index.next_crl_number(issuer.id)
        if issuer.crl.countdown:
            number = _HIGHEST_NUMBER - number
        plan = signed_plan(issuer.crl, certificate, signer, number, self.clock)
        complete = self._complete(issuer, plan, signer)
        files = _files(issuer, complete, certificate)
        if issuer.crl.countdown:
            former = replace(plan, number=plan.number + 1, this_update=plan.this_update - _DAY)
            path = f"{issuer.id}/{issuer.name}.former.crl"
            files[path] = pem.encode(pem.CRL, self._complete(issuer, former, signer))
        for part in issuer.crl.parts:
            part_plan = replace(plan, extensions=())
            if part.delta:
                files |= self._delta(issuer, part, part_plan, signer, complete, new_base=new_base)
            else:
                files[part_path(issuer, part.name)] = self._part(issuer, part, part_plan, signer)
        for crl in issuer.crl.additional:
            files[part_path(issuer, crl.name)] = additional_crl(crl, plan, signer, self.entropy)
        for path, data in files.items():
            self.store.write_loose(path, [data])
        self.store.index.set_crl(
            CrlState(
                issuer.id,
                plan.number,
                int(plan.this_update.timestamp()),
                int(plan.next_update.timestamp()),
                digest,
                tuple((path, sha256(data).hexdigest()) for path, data in files.items()),
            )
        )
        return plan.number

    def _complete(self, issuer: CrlIssuer, plan: CertificateListPlan, signer: Signer) -> bytes:
        entries = chain(crl_entries(self.store, issuer), planned_entries(issuer.crl, plan.this_update))
        return certificate_list(plan, entries, signer.key, self.entropy, issuer.crl.edits)

    def _part(self, issuer: CrlIssuer, part: CrlPart, plan: CertificateListPlan, signer: Signer) -> bytes:
        url = issuer.crl.part_url(part)
        scope = issuing_distribution_point(url, reasons=part.reasons, indirect=part.indirect)
        return self._signed(plan, scope, part_entries(self.store, issuer, part, self.others), signer)

    def _delta(
        self,
        issuer: CrlIssuer,
        part: CrlPart,
        plan: CertificateListPlan,
        signer: Signer,
        complete: bytes,
        *,
        new_base: bool,
    ) -> dict[str, bytes]:
        """Return the delta CRL and a copy of its base, which the next delta CRL needs."""
        path = part_path(issuer, "base")
        base = None if new_base else self._stored_base(path, issuer.crl.lifetime)
        base = base or CertificateList(complete)
        plan = replace(plan, next_update=min(plan.next_update, later(plan.this_update, part.delta or 0)))
        entries = delta_entries(base, crl_entries(self.store, issuer))
        entries += planned_entries(part, plan.this_update)
        signed = self._signed(plan, delta_indicator(base.number or 0), entries, signer)
        return {path: base.der, part_path(issuer, part.name): signed}

    def _stored_base(self, path: str, lifetime: int) -> CertificateList | None:
        """Return the current base, unless it is damaged or about to expire."""
        try:
            base = CertificateList(self.store.read(path))
        except (OSError, Malformed):
            return None
        end, share = base.next_update, timedelta(seconds=lifetime // FRESH_SHARE)
        return base if end is not None and base.this_update <= self.clock < end - share else None

    def _signed(
        self,
        plan: CertificateListPlan,
        extension: Extension,
        entries: Iterable[RevokedCertificate],
        signer: Signer,
    ) -> bytes:
        return certificate_list(replace(plan, extensions=(extension,)), entries, signer.key, self.entropy)


def signed_plan(
    plan: CrlPlan, certificate: bytes, signer: Signer, number: int, clock: datetime
) -> CertificateListPlan:
    """Return the TBSCertList, without entries, of an authority's complete CRL as of ``clock``."""
    this_update = later(clock, -plan.age)
    freshest = tuple(freshest_crl(plan.part_url(part)) for part in plan.parts if part.delta)
    return CertificateListPlan(
        Certificate(certificate).subject,
        signer.key_identifier,
        number,
        this_update,
        later(this_update, plan.lifetime),
        plan.signature,
        (*freshest, *plan.extensions),
    )


def additional_crl(
    crl: AdditionalCrl, complete: CertificateListPlan, signer: Signer, entropy: Entropy | None
) -> bytes:
    """Return a signed additional CRL; ``complete`` is the plan of its authority's complete CRL."""
    plan = replace(
        complete,
        issuer=crl.issuer or complete.issuer,
        number=complete.number if crl.number is None else crl.number,
        this_update=stated_time(crl.this_update, complete.this_update),
        next_update=stated_time(crl.next_update, complete.this_update, complete.next_update),
        extensions=crl.extensions,
    )
    entries = [
        RevokedCertificate(one.serial, stated_time(one.at, complete.this_update), one.reason, one.extensions)
        for one in crl.entries
    ]
    return certificate_list(plan, entries, signer.key, entropy)


def stated_time(text: str, published: datetime, default: datetime | None = None) -> datetime:
    """Return a time of an additional CRL; without one, the default or that of its publication."""
    return resolve_moment(parse_moment(text), published) if text else default or published


def planned_entries(plan: CrlPlan | CrlPart, at: datetime) -> list[RevokedCertificate]:
    """Return the entries that a fault adds to a CRL."""
    return [RevokedCertificate(one.serial, at, "unspecified", one.extensions) for one in plan.entries]


def part_entries(
    store: Store, issuer: CrlIssuer, part: CrlPart, others: Iterable[CrlIssuer]
) -> Iterable[RevokedCertificate]:
    """Return the entries of a part that is not a delta CRL."""
    return indirect_entries(store, issuer, others) if part.indirect else crl_entries(store, issuer, part)


def _files(issuer: CrlIssuer, crl: bytes, certificate: bytes) -> dict[str, bytes]:
    """Return the files of a complete CRL in the form that the plan requires, by path."""
    crl_pem = pem.encode(pem.CRL, crl)
    if issuer.crl.form is CrlForm.NONE:
        return {}
    published, beside_certificate = {
        CrlForm.SOUND: (crl, crl_pem),
        CrlForm.PEM: (crl_pem, crl_pem),
        CrlForm.DER: (crl, crl),
        CrlForm.EMPTY: (b"", b""),
        CrlForm.CERTIFICATE: (certificate, pem.certificate(certificate)),
    }[issuer.crl.form]
    return {crl_path(issuer): published, f"{issuer.id}/{issuer.name}.crl": beside_certificate}


def write_bundle(store: Store, issuers: Iterable[CrlIssuer]) -> None:
    """Write crls.pem: the complete CRL of every authority, without the copies for cases with a fault.

    Servers and clients that check whole paths (nginx, HAProxy, OpenVPN, curl) need one file.
    """
    names = {issuer.id: issuer.name for issuer in issuers}
    records = store.index.records(list(names))
    sound = [name for entity, name in names.items() if entity in records and not records[entity].has_fault]
    paths = [f"{Role.AUTHORITY}/{name}/{name}.crl" for name in sound]
    crls = (store.read(path) for path in paths if (store.folder / path).is_file())
    store.write_if_changed(BUNDLE, b"".join(crls))


def crl_path(issuer: CrlIssuer) -> str:
    """Return the path of an authority's complete CRL, relative to the environment."""
    return f"www/crl/{issuer.name}{issuer.crl.suffix}"


def part_path(issuer: CrlIssuer, part: str) -> str:
    """Return the path of a part, or of the base of the delta CRL, relative to the environment."""
    return f"www/crl/{issuer.name}/{part}.crl"


def published_crls(folder: Path, issuer: CrlIssuer) -> dict[str, bytes]:
    """Return the contents of an authority's CRLs by URL; empty for a missing file."""
    paths = {issuer.crl.url: crl_path(issuer)}
    paths |= {issuer.crl.part_url(part): part_path(issuer, part.name) for part in issuer.crl.published_parts}
    files = {url: folder / path for url, path in paths.items()}
    return {url: path.read_bytes() if path.is_file() else b"" for url, path in files.items()}
