"""The signature of a certificate: the algorithm and its digest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from pkigen.asn1 import der
from pkigen.cases.case import Case, Impossible
from pkigen.documents.fields import Parsed, unknown
from pkigen.keys.kinds import parse_kind
from pkigen.keys.verify import may_be_self_signed
from pkigen.model import Edit, EditOp, Signature
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.demands.public_key import Curve
from pkigen.requirements.outcome import Outcome, failed, not_applicable, pass_or_fail, undecided
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate
from pkigen.x509.algorithms import DIGESTS, SIGNATURE_ALGORITHMS
from pkigen.x509.public_key import curve_of


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
_WEAK_DIGESTS = ("sha1", "md5")
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
    """The digest that is signed.

    ``paired`` maps the curve of the issuer's key to its only digest; keys of other kinds have any digest.
    """

    kind: ClassVar[str] = "digest"
    field: ClassVar[str | None] = "signature_algorithm"
    blame: ClassVar[tuple[str, ...]] = ("signature",)

    allowed: tuple[Digest, ...] = ()
    forbidden: tuple[Digest, ...] = ()
    paired: dict[Curve, Digest] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_together(self) -> DigestDemand:
        if both := [digest for digest in self.allowed if digest in self.forbidden]:
            raise ValueError(f"{both[0]} cannot be allowed and forbidden")
        refused = (d for d in self.paired.values() if d in self.forbidden or d not in (self.allowed or (d,)))
        if digest := next(refused, None):
            raise ValueError(f"'paired' needs {digest}, which the demand does not allow")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check the digest; an algorithm without a separate digest violates only ``allowed``."""
        if subject.authority and may_be_self_signed(certificate):
            return not_applicable("validators do not check the self-signature of a root")
        algorithm = certificate.signature_algorithm
        digest = algorithm.digest
        if not digest:
            if self.allowed:
                return pass_or_fail(False, str(algorithm), " or ".join(self.allowed))
            return pass_or_fail(True, f"{algorithm}, which has no separate digest", "")
        none = f"none of {', '.join(self.forbidden)}" if self.forbidden else ""
        expected = " or ".join(self.allowed) or none
        if (self.allowed and digest not in self.allowed) or digest in self.forbidden:
            return failed(digest, expected)
        return self._check_pair(certificate, subject, digest) or pass_or_fail(True, digest, expected)

    def _check_pair(self, certificate: Certificate, subject: CheckInput, digest: str) -> Outcome | None:
        if not self.paired:
            return None
        issuer = certificate if may_be_self_signed(certificate) else next(iter(subject.path), None)
        if issuer is None:
            return undecided("the issuing CA's certificate was not given")
        curve = issuer.public_key.curve
        if digest == self.paired.get(curve, digest):
            return None
        return failed(f"{digest} signed by a key on {curve}", f"{self.paired[curve]} for {curve}")

    def violations(self) -> Iterator[Violation]:
        """Forbidden digests; with ``allowed``, a weaker and a stronger one; the digest of another curve."""
        candidates = ("sha384", "sha1") if self.allowed else self.forbidden
        supported = ("sha384", "sha1", "md5")
        yield from _of_digests(d for d in candidates if d not in self.allowed and d in supported)
        if self.paired:
            says = "The certificate is signed with a digest of another size than the issuing CA's curve."
            yield Violation("pair", says, partial(_unpaired, self))


def _unpaired(demand: DigestDemand, case: Case) -> Case:
    """Sign with another digest that is allowed otherwise."""
    issuer = case.authorities[0] if case.authorities else case.entity
    curve = curve_of(parse_kind(issuer.key).name)
    if curve not in demand.paired:
        raise Impossible("the issuing CA's key is on none of the curves")
    others = (d for d in ("sha384", "sha256", "sha512") if d != demand.paired[curve])
    allowed = [d for d in others if d not in demand.forbidden and d in (demand.allowed or (d,))]
    if not allowed:
        raise Impossible("the demand does not allow another digest")
    return case.change(signature=Signature(allowed[0]))


def _of_digests(digests: Iterator[str]) -> Iterator[Violation]:
    for digest in digests:
        signature = Signature(digest)
        says, change = f"The certificate is signed with {digest}.", partial(Case.change, signature=signature)
        yield Violation(digest, says, change, "path" if digest in _WEAK_DIGESTS else None)


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
