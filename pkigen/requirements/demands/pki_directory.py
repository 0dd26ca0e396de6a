"""The directories of a trust store, such as those of an OPC UA application (OPC 10000-12, Annex F)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Annotated, ClassVar

from pydantic import model_validator

from pkigen.documents.fields import Parsed
from pkigen.inspection.artifacts import Artifact, Kind
from pkigen.requirements.demand import Demand, Needs, Violation, demand
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509.public_key import same_key

_DIRECTORY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def _parse_directory(text: str) -> str:
    if not _DIRECTORY.fullmatch(text):
        raise ValueError(f"'{text}' is not the path of a directory, such as own/certs")
    return text


Directory = Annotated[str, Parsed(_parse_directory, "the path of a directory, such as own/certs")]


@demand
class PkiDirectory(Demand):
    """The directories of a trust store, relative to its own: each object is in a directory of its kind.

    ``certificate`` and ``key`` are the directories of the application's own certificate and its key.
    ``authorities`` are those of the CA certificates, ``crls`` those of their CRLs. With ``crl_of_each``, each
    CA certificate has a CRL.
    """

    kind: ClassVar[str] = "pki_directory"
    field: ClassVar[str | None] = None
    needs: ClassVar[Needs] = Needs.ISSUED

    certificate: Directory | None = None
    key: Directory | None = None
    authorities: tuple[Directory, ...] = ()
    crls: tuple[Directory, ...] = ()
    crl_of_each: bool = False

    @model_validator(mode="after")
    def _has_a_condition(self) -> PkiDirectory:
        if not any(value for _, value in self):
            fields = ", ".join(type(self).model_fields)
            raise ValueError(f"no condition given; set at least one of {fields}")
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """Check the files of a trust store; files that are in none of its directories are not one."""
        leaf = subject.certificate
        every = [*filter(None, (self.certificate, self.key)), *self.authorities, *self.crls]
        if leaf is None or not any(_is_in(one, every) for one in subject.given):
            return not_applicable("no directory of a trust store was given")
        own = [one for one in subject.given if one.certificate == leaf]
        keys = [one for one in subject.given if _is_key_of(one, leaf.subject_public_key_info)]
        for title, artifacts, directory in (
            ("certificate", own, self.certificate),
            ("key", keys, self.key),
        ):
            if directory and not any(_is_in(one, (directory,)) for one in artifacts):
                return failed(_place(artifacts, title), f"the {title} in {directory}")
        with_leaf = {one.source.file for one in own}
        apart = [one for one in subject.given if one.source.file not in with_leaf]
        others = [one for one in apart if one.certificate is not None]
        crls = [one for one in subject.given if one.crl is not None]
        for artifacts, directories in ((others, self.authorities), (crls, self.crls)):
            wrong = next((one for one in artifacts if not _is_in(one, directories)), None)
            if directories and wrong is not None:
                return failed(str(wrong.source), f"a {wrong.kind} in {' or '.join(directories)}")
        return self._check_crls(others, crls) or passed(f"{len(subject.given)} objects in their directories")

    def _check_crls(self, others: list[Artifact], crls: list[Artifact]) -> Outcome | None:
        issuers = {one.crl.normalized_issuer for one in crls if one.crl is not None}
        for one in others if self.crl_of_each else ():
            certificate = one.certificate
            assert certificate is not None
            if certificate.is_authority and certificate.normalized_subject not in issuers:
                return failed(f"no CRL of the CA in {one.source}", "a CRL of each CA")
        return None

    def violations(self) -> Iterator[Violation]:
        """None: a case is a certificate; ``pkigen export`` writes the directories."""
        return iter(())


def _is_in(artifact: Artifact, directories: Sequence[str]) -> bool:
    """Return whether the file of an artifact is directly in one of the directories."""
    parts = PurePath(artifact.source.file).parent.parts
    return any(
        parts[-len(expected) :] == expected for expected in (PurePath(one).parts for one in directories)
    )


def _is_key_of(artifact: Artifact, public_key: bytes) -> bool:
    if artifact.kind is not Kind.KEY or artifact.key is None:
        return False
    return artifact.key.public is None or same_key(artifact.key.public.der, public_key)


def _place(artifacts: list[Artifact], title: str) -> str:
    return f"the {title} in {artifacts[0].source.file}" if artifacts else f"no {title}"
