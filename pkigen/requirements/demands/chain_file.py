"""The certificate chain file: its certificates, their order, and its encoding."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import PurePath
from typing import ClassVar, Literal

from pydantic import model_validator

from pkigen.cases.case import Case, Impossible
from pkigen.inspection.artifacts import Kind, Source
from pkigen.keys.verify import is_signed_by, may_be_self_signed
from pkigen.requirements.demand import Demand, Needs, Stage, Violation, demand
from pkigen.requirements.demands.certificate_file import Container, enlarged
from pkigen.requirements.file_conditions import FileName, Size, Suffix, check_file
from pkigen.requirements.outcome import (
    Outcome,
    failed,
    not_applicable,
    pass_or_fail,
)
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate


@demand
class ChainFile(Demand):
    """The certificate chain file: complete up to a root, only CA certificates, in the right order.

    ``issued_by``: the file contains the certificate of the issuer. ``complete``: the file contains every CA
    certificate up to a self-signed root. ``order``: the issuing CA is first, the root last.
    ``bag_attributes`` means any text between the blocks of a PEM file. ``maximum_bytes`` is about the file,
    ``maximum_der_bytes`` about the certificate and all certificates of the file in DER.
    """

    kind: ClassVar[str] = "chain_file"
    field: ClassVar[str | None] = None
    needs: ClassVar[Needs] = Needs.ISSUED

    required: bool = False
    issued_by: bool = False
    complete: bool = False
    only_authorities: bool = False
    order: Literal["any", "issuing-first"] = "any"
    bag_attributes: Literal["allowed", "forbidden"] = "allowed"
    encodings: tuple[Container, ...] = ()
    suffixes: tuple[Suffix, ...] = ()
    name: FileName | None = None
    maximum_bytes: Size | None = None
    maximum_der_bytes: Size | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> ChainFile:
        if not self.model_fields_set:
            raise ValueError(
                "no condition given; set at least one of complete, issued_by, only_authorities ..."
            )
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """Check the chain file; a missing file violates only ``required``."""
        if not subject.chain:
            if self.required:
                return failed("no chain file", "a chain file")
            return not_applicable(subject.missing("chain file"))
        if self.encodings and subject.chain[0].source.encoding not in self.encodings:
            return failed(subject.chain[0].source.encoding, " or ".join(self.encodings))
        if outcome := check_file(subject.chain[0].source, self.suffixes, self.name):
            return outcome
        if self.bag_attributes == "forbidden" and any(a.source.before.strip() for a in subject.chain):
            return failed("text between the blocks", "PEM blocks alone")
        if self.only_authorities and (wrong := _other_contents(subject)):
            return failed(wrong, "CA certificates alone")
        own = (subject.certificate,) if subject.certificate else ()
        der_size = sum(len(one.der) for one in {*own, *subject.authorities})
        sizes = ((subject.chain[0].source.size, self.maximum_bytes), (der_size, self.maximum_der_bytes))
        for size, most in sizes:
            if most is not None and size > most:
                return failed(f"{size:,} bytes", f"at most {most:,} bytes")
        if self.issued_by or self.complete or self.order != "any":
            return self._check_path(subject)
        return pass_or_fail(True, self._summary(subject.chain[0].source, len(subject.authorities)), "")

    def _summary(self, source: Source, count: int) -> str:
        """Return the actual value of a check that looks only at the encoding or the name of the file."""
        if self.suffixes:
            return PurePath(source.file).suffix
        return str(source.encoding) if self.encodings else f"{count} certificates"

    def _check_path(self, subject: CheckInput) -> Outcome:
        leaf = subject.certificate
        if leaf is None:
            return not_applicable("there is no certificate")
        if may_be_self_signed(leaf):
            return not_applicable("the certificate is self-signed")
        path = _path_in(leaf, subject.authorities)
        if not path:
            return (
                failed("the file does not contain the certificate's issuer", "the issuer's certificate")
                if self.issued_by
                else not_applicable("the file does not contain the certificate's issuer")
            )
        if self.complete and not may_be_self_signed(path[-1]):
            return failed("the chain ends below the root", "every CA up to the self-signed root")
        if self.order == "issuing-first" and tuple(a for a in subject.authorities if a in path) != path:
            return failed("another order", "the issuing CA first, the root last")
        return pass_or_fail(True, f"{len(path)} of {len(subject.authorities)} in the path", "")

    def violations(self) -> Iterator[Violation]:
        """Missing, of another CA, incomplete, with the leaf, reversed, bag attributes, PKCS#7, renamed."""
        if self.required:
            yield _altered("missing", "There is no chain file.", "remove", stage="path")
        if self.issued_by:
            says = "The chain file contains the chain of another CA."
            yield _altered("other-ca", says, "other-ca", stage="path")
            says = "The chain file does not contain the issuing CA."
            yield _altered("without-issuer", says, "without-issuer", least=2, stage="path")
        if self.complete:
            yield _altered(
                "without-root", "The chain file does not contain the root.", "without-root", least=2
            )
        if self.only_authorities:
            yield _altered("leaf-inside", "The chain file contains the end-entity certificate.", "with-leaf")
        if self.order == "issuing-first":
            yield _altered("reversed", "The chain file begins with the root.", "reversed", least=2)
        if self.bag_attributes == "forbidden":
            yield _altered(
                "bag-attributes",
                "The chain file contains bag attributes between the certificates.",
                "bag-attributes",
                "CA",
            )
        if self.encodings and "PKCS#7" not in self.encodings:
            yield _altered("pkcs7", "The chain file is PKCS#7.", "pkcs7", stage="file")
        if self.suffixes:
            yield _altered("txt", "The name of the chain file ends in .txt.", "rename", ".txt")
        if self.name is not None:
            other_name = self.name.counterexample
            yield _altered("name", f"The name of the chain file is {other_name}.", "rename", other_name)
        for variant, limit in (("file-size", self.maximum_bytes), ("der-size", self.maximum_der_bytes)):
            if limit is not None:
                says = f"The issuing CA's certificate is larger than {limit:,} bytes."
                yield Violation(variant, says, partial(enlarged, limit, level=0))


def _other_contents(subject: CheckInput) -> str:
    """Return a description of the contents of the chain file that are not CA certificates."""
    others = {str(item.kind) for item in subject.chain or () if item.kind is not Kind.CERTIFICATE}
    leaves = [
        certificate
        for certificate in subject.authorities
        if certificate == subject.certificate or not certificate.is_authority
    ]
    if leaves:
        others.add("an end-entity certificate")
    return ", ".join(sorted(others))


def _path_in(leaf: Certificate, authorities: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
    """Return the CA certificates from the leaf's issuer upward, found by their names and signatures."""
    path, current = list[Certificate](), leaf
    while not may_be_self_signed(current):
        named = (
            a for a in authorities if a.normalized_subject == current.normalized_issuer and a not in path
        )
        issuer = next((above for above in named if is_signed_by(current, above)), None)
        if issuer is None:
            break
        path.append(issuer)
        current = issuer
    return tuple(path)


def _altered(
    variant: str, says: str, how: str, argument: str = "", *, least: int = 1, stage: Stage = None
) -> Violation:
    change = partial(_alter, how, argument, least)
    return Violation(variant, says, change, stage, file="chain", sent=stage != "file")


def _alter(how: str, argument: str, least: int, case: Case) -> Case:
    if len(case.authorities) < least:
        raise Impossible(f"the path has fewer than {least} CA certificates")
    return case.alter("chain", how, argument)
