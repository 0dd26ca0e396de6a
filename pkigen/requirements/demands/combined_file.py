"""A file that contains the certificate together with its key and chain: PEM, PKCS#12, JKS or an archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from pkigen.cases.case import Case, Impossible
from pkigen.inspection.artifacts import Artifact, Encoding, Kind
from pkigen.keys.verify import may_be_self_signed
from pkigen.requirements.demand import Demand, Needs, Violation, demand
from pkigen.requirements.file_conditions import FileName, Mode, Size, Suffix, ValuePattern, check_file
from pkigen.requirements.outcome import Outcome, Status, failed, not_applicable, pass_or_fail, undecided
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate

StoreEncoding = Literal["PEM", "PKCS#12", "JKS", "ZIP", "tar"]
Content = Literal["key", "issuers", "root"]
_PEM_FORMATS = {
    "fullchain": (("certificate", "issuers"), {"issuers"}),
    "bundle": (("key", "certificate", "issuers"), {"key", "issuers"}),
    "combined": (("certificate", "key", "issuers"), {"key", "issuers", "root"}),
}
"""The output formats in PEM: the sequence of their objects, and their contents besides the certificate."""
_STORES = (Encoding.PKCS12, Encoding.JKS)
_WORDS = {"key": "key", "issuers": "certificates of the issuing CAs", "root": "root certificate"}
_WITHOUT = {
    "key": ("without-key", "no-key"),
    "issuers": ("without-issuers", "no-chain"),
    "root": ("without-root-block", "no-root"),
}
"""The alterations that remove a content: of a PEM file, and of a key store or an archive."""
_FORMATS = {"pkcs12": "PKCS#12", "zip": "ZIP", "tar": "tar"}
"""The other output formats with a key and a chain, and their encodings."""
_OF_STORES = ("alias", "legacy")
"""The alterations of key stores that archives do not have."""
_WITH = {"key": "with-added-key", "root": "with-root", "issuers": ""}


@demand
class CombinedFile(Demand):
    """One file with the certificate and other objects: its key, and certificates of its path.

    ``contains`` and ``lacks`` are about the key, the issuers (every CA certificate below the root) and the
    root. ``first`` is the first object of a PEM file, ``sequence`` the order of certificate, key and CA
    certificates; ``order``: each certificate is followed by its issuer.
    ``entries`` is the number of keys. ``alias``, ``ciphers`` and ``macs`` apply to key stores: the name of
    the entry, and the algorithms that protect a PKCS#12 file (RFC 7292). If several files contain the
    certificate, one of them must satisfy the demand; a file that contains nothing else has no order.
    """

    kind: ClassVar[str] = "combined_file"
    field: ClassVar[str | None] = None
    needs: ClassVar[Needs] = Needs.ISSUED

    encodings: tuple[StoreEncoding, ...] = ()
    suffixes: tuple[Suffix, ...] = ()
    name: FileName | None = None
    mode: Mode | None = None
    contains: tuple[Content, ...] = ()
    lacks: tuple[Content, ...] = ()
    first: Literal["certificate", "key"] | None = None
    sequence: tuple[Literal["certificate", "key", "issuers"], ...] = ()
    order: Literal["any", "leaf-to-root"] = "any"
    entries: Annotated[int, Field(ge=1, le=1000)] | None = None
    alias: ValuePattern | None = None
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    maximum_bytes: Size | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> CombinedFile:
        if not any(value and value != "any" for value in vars(self).values()):
            raise ValueError(f"no condition given; set at least one of {', '.join(type(self).model_fields)}")
        if both := set(self.contains) & set(self.lacks):
            raise ValueError(f"'contains' and 'lacks' both have {', '.join(sorted(both))}")
        if self._has_order and self.encodings and "PEM" not in self.encodings:
            raise ValueError("'first', 'sequence' and 'order' apply to PEM files only")
        if self.first and self.sequence and self.first != self.sequence[0]:
            raise ValueError("'first' is not the first one of 'sequence'")
        if len(set(self.sequence)) < len(self.sequence) or len(self.sequence) == 1:
            raise ValueError("'sequence' lists at least two of certificate, key and issuers, each once")
        return self

    @property
    def _has_order(self) -> bool:
        return bool(self.first or self.sequence) or self.order != "any"

    def check(self, subject: CheckInput) -> Outcome:
        """Check every file that contains the certificate; the outcome is that of the best one."""
        if subject.certificate is None or subject.certificate_source is None:
            return not_applicable("no certificate file was given")
        # The most complete file first: its violation is the one to report.
        files = sorted(subject.combined_files, key=len, reverse=True)
        if self._has_order:
            files = [contents for contents in files if len(contents) > 1] or files
        outcomes = [self._check_file(contents, subject) for contents in files]
        if not outcomes:
            return not_applicable("no certificate file was given")
        return min(outcomes, key=lambda one: (one.status is Status.FAIL, one.undecided))

    def _check_file(self, contents: tuple[Artifact, ...], subject: CheckInput) -> Outcome:
        source = contents[0].source
        if self.encodings and source.encoding not in self.encodings:
            return failed(str(source.encoding), " or ".join(self.encodings))
        if outcome := check_file(source, self.suffixes, self.name, self.mode):
            return outcome
        if self.maximum_bytes is not None and source.size > self.maximum_bytes:
            return failed(f"{source.size:,} bytes", f"at most {self.maximum_bytes:,} bytes")
        if closed := next((one.problem for one in contents if one.kind is Kind.PKCS12 and one.problem), ""):
            return undecided(closed)
        if source.encoding in _STORES and (outcome := self._check_store(contents)):
            return outcome
        return self._check_contents(contents, subject)

    def _check_store(self, contents: tuple[Artifact, ...]) -> Outcome | None:
        """Return the violated condition of a key store, or None."""
        source, keys = contents[0].source, [one for one in contents if one.kind is Kind.KEY]
        if self.alias is not None:
            wrong = [one.friendly_name for one in keys if not self.alias.pattern.matches(one.friendly_name)]
            if wrong:
                return failed(wrong[0] or "no alias", f"an alias like {self.alias.pattern}")
        if source.encoding is Encoding.PKCS12:
            others = [one for one in source.ciphers if one not in self.ciphers] if self.ciphers else []
            if others:
                return failed(others[0], " or ".join(self.ciphers))
            if self.macs and source.mac not in self.macs:
                return failed(source.mac or "no MAC", " or ".join(self.macs))
        return None

    def _check_contents(self, contents: tuple[Artifact, ...], subject: CheckInput) -> Outcome:
        leaf = subject.certificate
        assert leaf is not None
        certificates = [one.certificate for one in contents if one.certificate is not None]
        keys = [one for one in contents if one.kind is Kind.KEY]
        if self.entries is not None and len(keys) != self.entries:
            return failed(f"{len(keys)} keys", f"{self.entries} keys")
        present = _present(leaf, certificates, subject, has_key=bool(keys))
        for content in self.contains:
            if present[content] is False:
                return failed(f"no {_WORDS[content]}", f"the {_WORDS[content]}")
        for content in self.lacks:
            if present[content]:
                return failed(f"the {_WORDS[content]}", f"no {_WORDS[content]}")
        if self.first and contents[0].source.encoding is Encoding.PEM:
            is_first = (
                contents[0].kind is Kind.KEY if self.first == "key" else contents[0].certificate == leaf
            )
            if not is_first:
                return failed(f"first: {contents[0].kind}", f"first: the {self.first}")
        if self.sequence and contents[0].source.encoding is Encoding.PEM:
            actual = _sequence(leaf, contents)
            if actual != tuple(kind for kind in self.sequence if kind in actual):
                return failed(", ".join(actual), ", ".join(self.sequence))
        if self.order != "any" and not _is_ordered(leaf, certificates):
            return failed("another order", "the certificate, then each issuer of the one before it")
        if any(present[content] is None for content in self.contains):
            return undecided("the path of the certificate is not known")
        return pass_or_fail(True, f"certificates: {len(certificates)}, keys: {len(keys)}", "")

    def violations(self) -> Iterator[Violation]:
        """Without a content, with one too many, in reverse order, in DER, with old ciphers, or renamed."""
        for content in self.contains:
            says = f"The file does not contain the {_WORDS[content]}."
            yield self._altered(f"no-{content}", says, *_WITHOUT[content])
        for content in self.lacks:
            yield self._altered(
                f"with-{content}", f"The file contains the {_WORDS[content]}.", _WITH[content], ""
            )
        if self._has_order:
            yield self._altered(
                "reversed", "The objects of the file are in reverse order.", "reversed-blocks", ""
            )
        if self.contains and self.encodings and not {"PKCS#12", "JKS"} & set(self.encodings):
            says = "The file is DER and contains only the certificate."
            yield self._altered("der", says, "certificate-in-der", "certificate-in-der")
        if self.suffixes:
            suffix = next(one for one in (".txt", ".dat", ".bin") if one not in self.suffixes)
            rename = f"rename {suffix}"
            yield self._altered("suffix", f"The name of the file ends in {suffix}.", rename, rename)
        if self.name is not None:
            rename = f"rename {self.name.counterexample}"
            says = f"The name of the file is {self.name.counterexample}."
            yield self._altered("name", says, rename, rename)
        if self.mode is not None:
            yield self._altered("mode", "Every user can read the file.", "readable", "readable")
        if self.alias is not None:
            name = self.alias.counterexample
            yield self._altered("alias", f"The alias of the key is {name}.", "", f"alias {name}")
        if (self.ciphers and "3DES" not in self.ciphers) or (self.macs and "SHA-1" not in self.macs):
            yield self._altered("3des", "The key store has 3DES encryption and a SHA-1 MAC.", "", "legacy")

    def _altered(self, variant: str, says: str, of_pem: str, of_store: str) -> Violation:
        """Return a violation by alterations of PEM files, and of stores and archives; "" if there is none."""

        def apply(case: Case) -> Case:
            changed = case
            for role in case.entity.output.formats:
                encoding = self._encoding(role)
                change = of_pem if encoding == "PEM" else of_store if encoding else ""
                how, _, argument = change.partition(" ")
                if how and (encoding in ("PEM", "PKCS#12") or how not in _OF_STORES):
                    changed = changed.alter(role, how, argument)
            if changed is case:
                raise Impossible("the certificate has no such file: see 'formats'")
            return changed

        return Violation(variant, says, apply, "file", file="certificate", sent=False)

    def _encoding(self, output_format: str) -> str:
        """Return the encoding of an output format whose file satisfies the demand; "" for others."""
        if other := _FORMATS.get(output_format):
            fits = not self.encodings or other in self.encodings
            return other if fits and (other == "PKCS#12" or not self.lacks) else ""
        if output_format not in _PEM_FORMATS or (self.encodings and "PEM" not in self.encodings):
            return ""
        sequence, contents = _PEM_FORMATS[output_format]
        fits = contents.issuperset(self.contains) and contents.isdisjoint(self.lacks)
        in_order = tuple(kind for kind in self.sequence if kind in sequence)
        is_ordered = self.first in (None, sequence[0]) and (not in_order or in_order == sequence)
        return "PEM" if fits and is_ordered else ""


def _present(
    leaf: Certificate, certificates: list[Certificate], subject: CheckInput, *, has_key: bool
) -> dict[str, bool | None]:
    """Return which contents a file has; None for a part of a path that is not known."""
    if may_be_self_signed(leaf):
        return {"key": has_key, "issuers": True, "root": True}
    path = replace(subject, anchors=(*subject.anchors, *certificates)).path
    complete = bool(path) and may_be_self_signed(path[-1])
    issuers = [one for one in path if not may_be_self_signed(one)]
    has_issuers = all(one in certificates for one in issuers)
    return {
        "key": has_key,
        "issuers": has_issuers if path else None,
        "root": path[-1] in certificates if complete else any(map(may_be_self_signed, certificates)),
    }


def _sequence(leaf: Certificate, contents: tuple[Artifact, ...]) -> tuple[str, ...]:
    """Return the kinds of the objects of a file in their order, equal neighbors once."""
    kinds = (
        "key" if one.kind is Kind.KEY else "certificate" if one.certificate == leaf else "issuers"
        for one in contents
    )
    return tuple(kind for kind, _ in groupby(kinds))


def _is_ordered(leaf: Certificate, certificates: list[Certificate]) -> bool:
    """Return whether a list begins with the leaf, and each certificate issued the one before it."""
    return certificates[:1] == [leaf] and all(
        below.normalized_issuer == above.normalized_subject for below, above in pairwise(certificates)
    )
