"""The certificate file: its encoding and its name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import PurePath
from typing import ClassVar, Literal

from pydantic import model_validator

from pkigen.asn1 import der
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put
from pkigen.requirements.demand import Demand, Needs, Stage, Violation, demand
from pkigen.requirements.file_conditions import FileName, Size, Suffix, check_file
from pkigen.requirements.outcome import (
    Outcome,
    failed,
    not_applicable,
    passed,
)
from pkigen.requirements.subject import CheckInput

_LARGEST = 200_000


def enlarged(size: int, case: Case, level: int | None = None) -> Case:
    """Return the case with an extension of more than ``size`` bytes in its certificate, or in a CA's."""
    if size > _LARGEST:
        raise Impossible(f"a certificate of more than {_LARGEST:,} bytes is not generated")
    return put(case, _PADDING, der.octet_string(bytes(size)), level=level)


_PADDING = "1.3.6.1.4.1.55738.99.3"
Container = Literal["PEM", "DER", "PKCS#7", "PKCS#12"]
_OTHER_SUFFIXES = (".cer", ".txt")


@demand
class CertificateFile(Demand):
    """The encoding of the certificate file, its name or file name extension, and its size.

    ``maximum_bytes`` is about the file, ``maximum_der_bytes`` about the certificate in DER.
    """

    kind: ClassVar[str] = "certificate_file"
    field: ClassVar[str | None] = None
    needs: ClassVar[Needs] = Needs.ISSUED

    encodings: tuple[Container, ...] = ()
    suffixes: tuple[Suffix, ...] = ()
    name: FileName | None = None
    maximum_bytes: Size | None = None
    maximum_der_bytes: Size | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> CertificateFile:
        if not any(vars(self).values()):
            fields = ", ".join(type(self).model_fields)
            raise ValueError(f"no condition given; set at least one of {fields}")
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """Check the file that the certificate was read from."""
        if subject.certificate_source is None:
            return not_applicable("no certificate file was given")
        encoding = subject.certificate_source.encoding
        if self.encodings and encoding not in self.encodings:
            return failed(encoding, " or ".join(self.encodings))
        size, der_size = (
            subject.certificate_source.size,
            len(subject.certificate.der if subject.certificate else b""),
        )
        for actual_size, most in ((size, self.maximum_bytes), (der_size, self.maximum_der_bytes)):
            if most is not None and actual_size > most:
                return failed(f"{actual_size:,} bytes", f"at most {most:,} bytes")
        if outcome := check_file(subject.certificate_source, self.suffixes, self.name):
            return outcome
        file = PurePath(subject.certificate_source.file)
        actual = file.name if self.name else file.suffix if self.suffixes else str(encoding)
        return passed(actual, " or ".join(self.suffixes or self.encodings))

    def violations(self) -> Iterator[Violation]:
        """DER, PKCS#7, another file name extension, a certificate that is too large."""
        for variant, most in (("file-size", self.maximum_bytes), ("der-size", self.maximum_der_bytes)):
            if most is not None:
                says = f"The certificate is larger than {most:,} bytes."
                yield Violation(variant, says, partial(enlarged, most))
        if self.encodings and "DER" not in self.encodings:
            yield _altered("der", "The certificate file is DER.", "der", is_read=False)
        if self.encodings and "PKCS#7" not in self.encodings:
            yield _altered("pkcs7", "The certificate file is PKCS#7.", "pkcs7", is_read=False)
        if self.suffixes:
            suffix = next(suffix for suffix in _OTHER_SUFFIXES if suffix not in self.suffixes)
            words = f"The name of the certificate file ends in {suffix}."
            yield _altered(suffix.removeprefix("."), words, "rename", suffix)
        if self.name is not None:
            words = f"The name of the certificate file is {self.name.counterexample}."
            yield _altered("name", words, "rename", self.name.counterexample)


def _altered(variant: str, says: str, how: str, argument: str = "", *, is_read: bool = True) -> Violation:
    """Return the violation by a changed file, which programs read or not."""
    change = partial(Case.alter, file="certificate", how=how, argument=argument)
    stage: Stage = None if is_read else "file"
    return Violation(variant, says, change, stage, file="certificate", sent=False)
