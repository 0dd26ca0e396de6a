"""Signs an authority's CRLs and puts them where clients find them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import chain
from pathlib import Path

from pkigen.environment.crl.entries import crl_entries, delta_entries, indirect_entries
from pkigen.environment.crl.schedule import FRESH_SHARE
from pkigen.environment.published.publishers import CrlIssuer
from pkigen.formats import pem
from pkigen.issue import Signer
from pkigen.keys.entropy import Entropy
from pkigen.model import CrlForm, CrlPart, Extension
from pkigen.revocation import CertificateListPlan, RevokedCertificate, certificate_list
from pkigen.revocation.crl import delta_indicator, freshest_crl, issuing_distribution_point
from pkigen.store import CrlState, Store
from pkigen.x509 import Certificate, CertificateList, Malformed

_HIGHEST_NUMBER = 1_000_000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CrlPublisher:
    """Publishes the CRLs of one authority after the other; ``others`` are all that publish one."""

    store: Store
    clock: datetime
    entropy: Entropy | None
    others: Iterable[CrlIssuer]

    def publish(
        self, issuer: CrlIssuer, certificate: bytes, signer: Signer, digest: str, *, anew: bool = True
    ) -> int:
        """Publish all CRLs of one authority under the next number, and give that.

        ``certificate`` is the authority's. A delta CRL goes on from the base that there is, unless
        ``anew`` asks for another, or its time is up.
        """
        asked = issuer.crl
        drawn = self.store.index.next_crl_number(issuer.id)
        begins = self.clock - timedelta(seconds=asked.age)
        freshest = tuple(freshest_crl(asked.part_url(part)) for part in asked.parts if part.delta)
        plan = CertificateListPlan(
            Certificate(certificate).subject,
            signer.key_identifier,
            _HIGHEST_NUMBER - drawn if asked.countdown else drawn,
            begins,
            begins + timedelta(seconds=asked.lifetime),
            asked.signature,
            (*freshest, *asked.extensions),
        )
        complete = self._complete(issuer, plan, signer)
        files = _files(issuer, complete, certificate)
        if asked.countdown:
            former = replace(plan, number=plan.number + 1, this_update=begins - _DAY)
            path = f"{issuer.id}/{issuer.name}.former.crl"
            files[path] = pem.encode(pem.CRL, self._complete(issuer, former, signer))
        for part in asked.parts:
            plain = replace(plan, extensions=(), signature=replace(plan.signature))
            files |= self._part(issuer, part, plain, signer, complete, anew=anew)
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
        further = (
            RevokedCertificate(found.serial, plan.this_update, "unspecified", found.extensions)
            for found in issuer.crl.entries
        )
        found = chain(crl_entries(self.store, issuer), further)
        return certificate_list(plan, found, signer.key, self.entropy, issuer.crl.edits)

    def _part(
        self,
        issuer: CrlIssuer,
        part: CrlPart,
        plan: CertificateListPlan,
        signer: Signer,
        complete: bytes,
        *,
        anew: bool,
    ) -> dict[str, bytes]:
        """The files of one part."""
        if part.delta:
            return self._delta(issuer, part, plan, signer, complete, anew=anew)
        url = issuer.crl.part_url(part)
        point = issuing_distribution_point(url, reasons=part.reasons, indirect=part.indirect)
        found = crl_entries(self.store, issuer, part)
        if part.indirect:
            found = indirect_entries(self.store, issuer, self.others)
        return {part_path(issuer, part.name): self._signed(plan, (point,), found, signer)}

    def _delta(
        self,
        issuer: CrlIssuer,
        part: CrlPart,
        plan: CertificateListPlan,
        signer: Signer,
        complete: bytes,
        *,
        anew: bool,
    ) -> dict[str, bytes]:
        """The delta CRL, and the complete one that it adds to, as it was then."""
        path = part_path(issuer, "base")
        base = None if anew else self._base(self.store.folder / path, issuer.crl.lifetime)
        held = complete if base is None else base.der
        base = base or CertificateList(complete)
        plan = replace(
            plan, next_update=min(plan.next_update, plan.this_update + timedelta(seconds=part.delta))
        )
        changes = delta_entries(base, crl_entries(self.store, issuer))
        signed = self._signed(plan, (delta_indicator(base.number or 0),), changes, signer)
        return {path: held, part_path(issuer, part.name): signed}

    def _base(self, path: Path, lifetime: int) -> CertificateList | None:
        """The base that there is, as long as most of its time is left."""
        try:
            found = CertificateList(path.read_bytes())
        except (OSError, Malformed):
            return None
        end, share = found.next_update, timedelta(seconds=lifetime // FRESH_SHARE)
        return found if end is not None and found.this_update <= self.clock < end - share else None

    def _signed(
        self,
        plan: CertificateListPlan,
        extensions: tuple[Extension, ...],
        found: Iterable[RevokedCertificate],
        signer: Signer,
    ) -> bytes:
        return certificate_list(replace(plan, extensions=extensions), found, signer.key, self.entropy)


def _files(issuer: CrlIssuer, crl: bytes, certificate: bytes) -> dict[str, bytes]:
    """The files that a complete CRL is published in, in the form that is asked for."""
    as_pem = pem.encode(pem.CRL, crl)
    at_url, in_folder = {
        CrlForm.SOUND: (crl, as_pem),
        CrlForm.PEM: (as_pem, as_pem),
        CrlForm.DER: (crl, crl),
        CrlForm.EMPTY: (b"", b""),
        CrlForm.CERTIFICATE: (certificate, pem.certificate(certificate)),
    }[issuer.crl.form]
    return {crl_path(issuer): at_url, f"{issuer.id}/{issuer.name}.crl": in_folder}


def crl_path(issuer: CrlIssuer) -> str:
    """Where an authority's complete CRL lies below the environment's folder."""
    return f"www/crl/{issuer.name}{issuer.crl.suffix}"


def part_path(issuer: CrlIssuer, part: str) -> str:
    """Where a part, or the base of the delta CRL, lies: in a folder beside the complete CRL."""
    return f"www/crl/{issuer.name}/{part}.crl"


def published_crls(folder: Path, issuer: CrlIssuer) -> dict[str, bytes]:
    """What is at the URLs of an authority's CRLs; no octets where a file is missing."""
    paths = {issuer.crl.url: crl_path(issuer)}
    paths |= {issuer.crl.part_url(part): part_path(issuer, part.name) for part in issuer.crl.parts}
    found = {url: folder / path for url, path in paths.items()}
    return {url: path.read_bytes() if path.is_file() else b"" for url, path in found.items()}
