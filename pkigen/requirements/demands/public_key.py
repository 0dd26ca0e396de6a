"""The public key of the certificate: its kind and size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from pkigen.cases.case import Case, Impossible
from pkigen.documents.fields import Parsed, unknown
from pkigen.keys.kinds import LARGEST_RSA, SMALLEST_RSA, parse_kind
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, failed, not_applicable, pass_or_fail, undecided
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import PublicKey
from pkigen.x509.public_key import CURVES, FAMILIES


def _parse_family(text: str) -> str:
    if text not in FAMILIES:
        raise ValueError(unknown("family of keys", text, FAMILIES))
    return str(text)


def parse_curve(text: str) -> str:
    """Return the name of a curve as its standard writes it; SEC 2's names of NIST's curves are aliases."""
    name = _CURVE_NAMES.get(text.lower())
    if name is None:
        raise ValueError(unknown("curve", text, CURVES))
    return name


_ALIASES = {"secp256r1": "P-256", "prime256v1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_CURVE_NAMES = {**{name.lower(): name for name in CURVES}, **_ALIASES}
Curve = Annotated[str, Parsed(parse_curve, "a curve: P-256, brainpoolP256r1, secp256k1, ed25519 ...")]
_KINDS_OF_CURVES = {
    "P-256": "ec-p256",
    "P-384": "ec-p384",
    "P-521": "ec-p521",
    "brainpoolP256r1": "ec-brainpoolp256r1",
    "secp256k1": "ec-secp256k1",
    "ed25519": "ed25519",
    "ed448": "ed448",
}
"""The kinds of key that violate a list of curves."""
Family = Annotated[str, Parsed(_parse_family, "rsa, ec, ed25519, ed448 or ml-dsa")]
Bits = Annotated[int, Field(ge=1, le=65536)]
_OTHER_FAMILIES = {"ec": "ec-p256", "ed25519": "ed25519", "rsa": "rsa-2048"}
_FAMILIES_WITH_CURVES = {"ec", "ed25519", "ed448", "x25519", "x448"}
_SMALL_EXPONENT = 3
_ALWAYS_ACCEPTED_BITS = 2040
"""Smallest size of RSA keys that nearly all validators accept: strengths in bits are rounded."""
_EC_KINDS = {256: "ec-p256", 384: "ec-p384", 521: "ec-p521"}


@demand
class PublicKeyDemand(Demand):
    """Kind and size of the public key (RFC 5280, 4.1.2.7).

    ``minimum``, ``maximum`` and ``sizes`` are in bits, for each family of keys. Only ``minimum`` rejects a
    key smaller than the smallest of ``sizes``. ``exponent`` is the minimum public exponent of an RSA key,
    which must also be odd; ``multiple_of`` divides the size of its modulus. ``curves`` are the curves of keys
    that have one. ``unique``: no other certificate of the environment has the key.
    """

    kind: ClassVar[str] = "public_key"
    field: ClassVar[str | None] = "public_key"
    of_requests: ClassVar[bool] = True
    blame: ClassVar[tuple[str, ...]] = ("key",)

    families: tuple[Family, ...] = ()
    minimum: dict[Family, Bits] = Field(default_factory=dict)
    maximum: dict[Family, Bits] = Field(default_factory=dict)
    sizes: dict[Family, tuple[Bits, ...]] = Field(default_factory=dict)
    exponent: Annotated[int, Field(ge=3, le=1 << 64)] | None = None

    multiple_of: Annotated[int, Field(ge=2, le=1024)] | None = None
    curves: tuple[Curve, ...] = ()
    unique: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> PublicKeyDemand:
        if not any(vars(self).values()):
            fields = ", ".join(type(self).model_fields)
            raise ValueError(f"no condition given; set at least one of {fields}")
        for family, least in self.minimum.items():
            if least > self.maximum.get(family, least):
                raise ValueError(f"'minimum' of {family} is more than its 'maximum'")
        if self.curves and self.families and not {*self.families} & _FAMILIES_WITH_CURVES:
            raise ValueError(f"'curves' contradicts 'families': no curve is of {' or '.join(self.families)}")
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """Check the family first, then the size and the exponent."""
        key = subject.public_key
        if key is None:
            return not_applicable("there is no certificate")
        if self.families and key.family not in self.families:
            return pass_or_fail(False, key.name, " or ".join(self.families))
        if key.size < self.minimum.get(key.family, 0):
            return pass_or_fail(False, key.name, f"at least {self.minimum[key.family]} bits")
        if key.size > self.maximum.get(key.family, key.size):
            return pass_or_fail(False, key.name, f"at most {self.maximum[key.family]} bits")
        if not self._has_valid_exponent(key):
            return pass_or_fail(
                False, f"exponent {key.exponent}", f"an odd exponent of at least {self.exponent}"
            )
        if self.curves and key.family in _FAMILIES_WITH_CURVES and key.curve not in self.curves:
            return failed(key.curve or key.name, " or ".join(self.curves))
        if self.multiple_of and key.family == "rsa" and key.size % self.multiple_of:
            return failed(key.name, f"a multiple of {self.multiple_of} bits")
        sizes = self.sizes.get(key.family, ())
        expected = " or ".join(f"{size} bits" for size in sizes)
        if sizes and key.size not in sizes and key.size > min(sizes):
            return failed(key.name, expected)
        return self._check_unique(key, subject) or pass_or_fail(True, key.name, expected)

    def _check_unique(self, key: PublicKey, subject: CheckInput) -> Outcome | None:
        if not self.unique or not subject.issued:
            return None
        if subject.sharing_keys is None:
            return undecided("only the certificates of an environment are compared with each other")
        digest = sha256(key.der).hexdigest()
        words = "a key that no other certificate of the environment has"
        return failed("the key of another certificate", words) if subject.sharing_keys.get(digest) else None

    def _has_valid_exponent(self, key: PublicKey) -> bool:
        if self.exponent is None or key.family != "rsa":
            return True
        return key.exponent >= self.exponent and bool(key.exponent % 2)

    def violations(self) -> Iterator[Violation]:
        """Another family; the sizes just below and just above the allowed ones; a small exponent."""
        if self.families:
            others = (kind for family, kind in _OTHER_FAMILIES.items() if family not in self.families)
            yield from (_of_kind(kind) for kind in others)
        if self.exponent is not None and self.exponent > _SMALL_EXPONENT:
            yield _of_kind("rsa-2048-e3")
        kinds = (*self._too_small(), *self._too_large(), *self._between(), *self._other_curves())
        for kind in dict.fromkeys((*kinds, *self._odd_sizes())):
            yield _of_kind(kind)
        if self.unique:
            yield Violation(
                "shared", "The certificate has the same key as its issuing CA.", _with_key_of_issuer
            )

    def _other_curves(self) -> Iterator[str]:
        """Return kinds of key with other curves, of the families that the demand allows."""
        families = self.families or ("ec", "ed25519", "ed448")
        for curve, kind in _KINDS_OF_CURVES.items() if self.curves else ():
            if curve not in self.curves and parse_kind(kind).family in families:
                yield kind

    def _odd_sizes(self) -> Iterator[str]:
        """Return the next size above the smallest one that is not a multiple, an even one if possible."""
        if self.multiple_of:
            least = max(self.minimum.get("rsa", 2048), SMALLEST_RSA)
            step = 2 if self.multiple_of > 2 else 1
            yield f"rsa-{least + step if least % self.multiple_of == 0 else least}"

    def _too_small(self) -> Iterator[str]:
        least = self.minimum.get("rsa")
        for size in (least // 2, least - 8) if least else ():
            if size >= SMALLEST_RSA:
                yield f"rsa-{size}"
        if "ec" in self.minimum:
            yield from (kind for size, kind in _EC_KINDS.items() if size < self.minimum["ec"])

    def _too_large(self) -> Iterator[str]:
        most = self.maximum.get("rsa")
        if most and most < LARGEST_RSA:
            yield f"rsa-{(most // 8 + 1) * 8}"

    def _between(self) -> Iterator[str]:
        sizes = sorted(self.sizes.get("rsa", ()))
        if len(sizes) > 1:
            yield f"rsa-{(sizes[0] + sizes[1]) // 2}"
        elif sizes and sizes[0] + 1024 <= LARGEST_RSA:
            yield f"rsa-{sizes[0] + 1024}"


def _of_kind(kind: str) -> Violation:
    def apply(case: Case) -> Case:
        return case.with_key(kind)

    parsed = parse_kind(kind)
    if parsed.family == "rsa" and parsed.size < _ALWAYS_ACCEPTED_BITS:
        return Violation(kind, f"The key is {kind}.", apply, "path", varies=True)
    return Violation(kind, f"The key is {kind}.", apply)


def _with_key_of_issuer(case: Case) -> Case:
    if not case.authorities or case.authorities[0].imported is not None:
        raise Impossible("the certificate is self-signed, or the key of its issuer is not pkigen's")
    issuer = case.authorities[0]
    if parse_kind(issuer.key).family != parse_kind(case.entity.key).family:
        raise Impossible("the issuing CA's key is of another family")
    return replace(case, entity=replace(case.entity, key=issuer.key, key_of=issuer.id))
