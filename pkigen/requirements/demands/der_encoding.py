"""The distinguished encoding of a certificate (X.690, 8 and 11; RFC 3279, 2.2.1 and 2.3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from pydantic import model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.model import Edit, EditOp, Extension
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, failed, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate
from pkigen.x509.algorithms import lacks_null
from pkigen.x509.decode import elements
from pkigen.x509.extensions import key_usage

_TRUE = b"\xff"
_EXPLICIT_FALSE = der.boolean(False)


@demand
class DerEncoding(Demand):
    """The encoding of values that several encodings of BER can express.

    ``booleans``: TRUE is FF, and FALSE is omitted where it is the default. ``named_bits``: the key usage has
    no trailing zero bits and no unknown bits. ``rsa_parameters``: the parameters of an RSA key and of an RSA
    signature (PKCS #1 v1.5) are NULL.
    """

    kind: ClassVar[str] = "der"
    field: ClassVar[str | None] = None

    booleans: bool = False
    named_bits: bool = False
    rsa_parameters: bool = False

    @model_validator(mode="after")
    def _has_a_condition(self) -> DerEncoding:
        if not (self.booleans or self.named_bits or self.rsa_parameters):
            raise ValueError("no condition given; set at least one of booleans, named_bits, rsa_parameters")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Return the first field that is not encoded as DER requires."""
        if self.booleans and (problem := _boolean_problem(certificate)):
            return failed(problem, "FF for TRUE, and no FALSE where it is the default")
        if self.named_bits and (problem := _bits_problem(certificate)):
            return failed(problem, "the nine bits of the key usage without trailing zero bits")
        if self.rsa_parameters and (problem := _parameters_problem(certificate)):
            return failed(problem, "NULL parameters")
        return passed("DER")

    def violations(self) -> Iterator[Violation]:
        """An explicit FALSE, a trailing zero bit, a missing NULL."""
        if self.booleans:
            says = "An extension has an encoded FALSE as its critical flag."
            yield Violation("explicit-false", says, _with_explicit_false)
        if self.named_bits:
            says = "The key usage has trailing zero bits."
            yield Violation("trailing-zero-bits", says, _with_trailing_zeros)
        if self.rsa_parameters:
            says = "The RSA public key has no parameters instead of NULL."
            yield Violation("no-null", says, _without_null)


def _boolean_problem(certificate: Certificate) -> str:
    for extension in certificate.extensions:
        if extension.flag not in (b"", _TRUE):
            return f"the critical flag of {extension.title} is {extension.flag.hex()}"
    constraints = certificate.extensions.raw(oids.BASIC_CONSTRAINTS)
    if constraints is not None:
        for element in elements(constraints.value, "the basic constraints extension"):
            if element[0] == der.BOOLEAN and der.contents(element) != _TRUE:
                return f"cA is {der.contents(element).hex()}"
    return ""


def _bits_problem(certificate: Certificate) -> str:
    extension = certificate.extensions.raw(oids.KEY_USAGE)
    if extension is None or extension.value == der.named_bits(key_usage(extension.value), oids.KEY_USAGES):
        return ""
    return f"a key usage of {extension.value.hex()}"


def _parameters_problem(certificate: Certificate) -> str:
    algorithms = {
        "the public key": certificate.public_key_algorithm,
        "the signature algorithm": certificate.signed_algorithm,
    }
    return next((f"{what} without NULL" for what, one in algorithms.items() if lacks_null(one)), "")


def _with_explicit_false(case: Case) -> Case:
    extensions = case.plan.extensions
    number = next((n for n, one in enumerate(extensions) if not one.critical), None)
    if number is None:
        raise Impossible("all extensions of the certificate are critical")
    return case.edit(Edit((7, 0, number, 1), EditOp.INSERT, _EXPLICIT_FALSE))


def _with_trailing_zeros(case: Case) -> Case:
    extension = case.extension(oids.KEY_USAGE) or Extension(oids.KEY_USAGE, True, b"\x03\x02\x07\x80")
    assert isinstance(extension.value, bytes)
    octets = der.contents(extension.value)[1:]
    return case.with_extension(replace(extension, value=der.bit_string(octets + b"\0")))


def _without_null(case: Case) -> Case:
    if not case.entity.key.startswith("rsa"):
        raise Impossible("the certificate's key is not an RSA key")
    return case.edit(Edit((6, 0, 1), EditOp.REMOVE))
