"""The public key of the certificate: its kind and size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from pkigen.cases.case import Case
from pkigen.documents.fields import Parsed, unknown
from pkigen.keys.kinds import LARGEST_RSA, SMALLEST_RSA
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, not_applicable, pass_or_fail
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import PublicKey
from pkigen.x509.public_key import FAMILIES


def _parse_family(text: str) -> str:
    if text not in FAMILIES:
        raise ValueError(unknown("family of keys", text, FAMILIES))
    return str(text)


Family = Annotated[str, Parsed(_parse_family, "rsa, ec, ed25519, ed448 or ml-dsa")]
Bits = Annotated[int, Field(ge=1, le=65536)]
_OTHER_FAMILIES = {"ec": "ec-p256", "ed25519": "ed25519", "rsa": "rsa-2048"}
_SMALL_EXPONENT = 3
_EC_KINDS = {256: "ec-p256", 384: "ec-p384", 521: "ec-p521"}


@demand
class PublicKeyDemand(Demand):
    """Kind and size of the public key (RFC 5280, 4.1.2.7).

    ``minimum``, ``maximum`` and ``sizes`` are in bits, for each family of keys. Only ``minimum`` rejects a
    key smaller than the smallest of ``sizes``. ``exponent`` is the minimum public exponent of an RSA key,
    which must also be odd.
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

    @model_validator(mode="after")
    def _has_a_condition(self) -> PublicKeyDemand:
        if not (self.families or self.minimum or self.maximum or self.sizes or self.exponent):
            raise ValueError(
                "no condition given; set at least one of families, minimum, maximum, sizes or exponent"
            )
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
        sizes = self.sizes.get(key.family, ())
        expected = " or ".join(f"{size} bits" for size in sizes)
        return pass_or_fail(not sizes or key.size in sizes or key.size < min(sizes), key.name, expected)

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
        for kind in (*self._too_small(), *self._too_large(), *self._between()):
            yield _of_kind(kind)

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

    return Violation(kind, f"The key is {kind}.", apply)
