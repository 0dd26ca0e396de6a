"""The signature of a certificate: the algorithm and its digest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field

from pkigen.asn1 import der
from pkigen.cases.case import Case
from pkigen.documents.fields import Parsed, unknown
from pkigen.keys.kinds import parse_kind
from pkigen.model import Edit, EditOp, Signature
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, not_applicable, pass_or_fail
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate
from pkigen.x509.algorithms import DIGESTS, SIGNATURE_ALGORITHMS


def _parse_algorithm(text: str) -> str:
    if text not in SIGNATURE_ALGORITHMS:
        raise ValueError(unknown("signature algorithm", text, SIGNATURE_ALGORITHMS))
    return str(text)


def _parse_digest(text: str) -> str:
    if text not in DIGESTS:
        raise ValueError(unknown("digest", text, DIGESTS))
    return str(text)


Algorithm = Annotated[str, Parsed(_parse_algorithm, "a signature algorithm's name, as RFCs write it")]
Digest = Annotated[str, Parsed(_parse_digest, "sha256, sha384, sha1 ...")]
_RSA_DIGESTS = {"sha1": "sha1WithRSAEncryption", "sha384": "sha384WithRSAEncryption"}


@demand
class SignatureAlgorithm(Demand):
    """The algorithm that signs the certificate (RFC 5280, 4.1.1.2)."""

    kind: ClassVar[str] = "signature_algorithm"
    field: ClassVar[str | None] = "signature_algorithm"
    blame: ClassVar[tuple[str, ...]] = ("signature",)

    allowed: Annotated[tuple[Algorithm, ...], Field(min_length=1)]

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Compare the name of the outer algorithm."""
        algorithm = certificate.signature_algorithm
        return pass_or_fail(algorithm.name in self.allowed, str(algorithm), " or ".join(self.allowed))

    def violations(self) -> Iterator[Violation]:
        """RSASSA-PSS, if it is not allowed; otherwise another digest."""
        if "RSASSA-PSS" not in self.allowed:
            signature = Signature("sha256", pss=True)
            yield Violation(
                "pss", "The certificate is signed with RSASSA-PSS.", partial(Case.change, signature=signature)
            )
        else:
            yield from _of_digests(
                digest for digest, name in _RSA_DIGESTS.items() if name not in self.allowed
            )


@demand
class DigestDemand(Demand):
    """The digest that is signed."""

    kind: ClassVar[str] = "digest"
    field: ClassVar[str | None] = "signature_algorithm"
    blame: ClassVar[tuple[str, ...]] = ("signature",)

    allowed: tuple[Digest, ...] = ()
    forbidden: tuple[Digest, ...] = ()

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check the digest; an algorithm without a separate digest violates only ``allowed``."""
        if subject.authority and certificate.is_self_issued:
            return not_applicable("validators do not check the self-signature of a root")
        algorithm = certificate.signature_algorithm
        digest = algorithm.digest
        if not digest:
            if self.allowed:
                return pass_or_fail(False, str(algorithm), " or ".join(self.allowed))
            return pass_or_fail(True, f"{algorithm}, which has no separate digest", "")
        holds = digest in self.allowed if self.allowed else digest not in self.forbidden
        expected = " or ".join(self.allowed) or f"none of {', '.join(self.forbidden)}"
        return pass_or_fail(holds, digest, expected)

    def violations(self) -> Iterator[Violation]:
        """Forbidden digests; with ``allowed``, a weaker and a stronger one."""
        candidates = ("sha384", "sha1") if self.allowed else self.forbidden
        supported = ("sha384", "sha1", "md5")
        yield from _of_digests(d for d in candidates if d not in self.allowed and d in supported)


def _of_digests(digests: Iterator[str]) -> Iterator[Violation]:
    for digest in digests:
        signature = Signature(digest)
        yield Violation(
            digest, f"The certificate is signed with {digest}.", partial(Case.change, signature=signature)
        )


@demand
class AlgorithmsAgree(Demand):
    """The outer signature algorithm equals the signed one in the TBSCertificate (RFC 5280, 4.1.1.2)."""

    kind: ClassVar[str] = "algorithms_agree"
    field: ClassVar[str | None] = "signature_algorithm"

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Compare the encodings of both fields."""
        agree = certificate.algorithms_agree
        return pass_or_fail(agree, "the same" if agree else "two of them", "the same inside and outside")

    def violations(self) -> Iterator[Violation]:
        """Another outer algorithm (NULL added or removed); verifiers that ignore it accept the signature."""
        yield Violation("", "The outer signature algorithm differs from the signed one.", _disagreeing)


def _disagreeing(case: Case) -> Case:
    issuer = case.authorities[0] if case.authorities else case.entity
    return case.edit(other_outer_algorithm(issuer.key, case.plan.signature))


def other_outer_algorithm(key: str, signature: Signature) -> Edit:
    """Return the edit that replaces the outer AlgorithmIdentifier by another one with the same OID.

    ``key`` is the kind of the signing key.
    """
    from pkigen.keys.signing import algorithm_of

    oid, *parameters = der.children(algorithm_of(parse_kind(key), signature))
    other = der.sequence(oid) if parameters else der.sequence(oid, der.null())
    return Edit((1,), EditOp.REPLACE, other, signed=False)
