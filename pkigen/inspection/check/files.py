"""Checks certificates, CRLs, keys and requests from any mixture of files against requirement sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from pkigen.errors import InputError
from pkigen.files import read_file
from pkigen.inspection.artifacts import Artifact, Encoding, Kind
from pkigen.inspection.check.check import CheckOptions, CheckResult, check
from pkigen.inspection.check.pem_form import unusable_file, unusable_parts
from pkigen.inspection.check.roles import certificates_to_check, chain_of, is_ca, key_of, without_other_leaves
from pkigen.inspection.path.server import read_input
from pkigen.keys.verify import may_be_self_signed
from pkigen.os_errors import os_error_reason
from pkigen.requirements import CheckInput, RequirementSet
from pkigen.requirements.crl_lookup import CrlLookup
from pkigen.x509 import Certificate, Malformed
from pkigen.x509.public_key import same_key

MAX_LEAVES = 500
"""Certificates in files; an environment may contain any number."""
_SUFFIXES = (".crt", ".cer", ".pem", ".der", ".key", ".crl", ".csr", ".p7b", ".p7c", ".p12", ".pfx", ".zip")
_MOST_FILES = 10_000
_MAX_FILE = 16 * 1024 * 1024
_CHECKED = (Kind.CERTIFICATE, Kind.KEY, Kind.CRL, Kind.PKCS7, Kind.PKCS12)


def files_in(directory: Path) -> tuple[Path, ...]:
    """Return the files in a directory that may be certificates, keys, chains or CRLs.

    These are the files directly in it, or else those of a trust store: in directories such as own/certs.
    Hidden files and files with other suffixes are ignored; InputError if no file is left.
    """
    try:
        files = _usable(directory.iterdir()) or _usable(directory.glob("*/*")) + _usable(
            directory.glob("*/*/*")
        )
    except OSError as error:
        raise InputError(f"{directory} cannot be read: {os_error_reason(error)}") from error
    if not files:
        raise InputError(
            f"{directory} is not a built environment, and has no file with the suffix {', '.join(_SUFFIXES)}"
        )
    return files


def _usable(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files among paths that may contain certificates, keys, chains or CRLs, in order."""
    files = (path for path in paths if path.suffix.lower() in _SUFFIXES and not path.name.startswith("."))
    return tuple(sorted(path for path in islice(files, _MOST_FILES) if path.is_file()))


def check_files(
    paths: Sequence[Path], sets: Sequence[RequirementSet], options: CheckOptions
) -> tuple[CheckResult, ...]:
    """Return one result for each certificate to check, and for each CRL or request without one.

    An input that cannot be used is part of every result. InputError if no file can be read.
    """
    artifacts, unread = _read(paths, options.passphrases)
    anchors, unread_anchors = _read(options.trust, options.passphrases)
    if options.trust and not any(anchor.certificate for anchor in anchors):
        raise InputError(f"there is no certificate in {', '.join(map(str, options.trust))}")
    crl_files, unread_crls = _read(options.crls, ())
    return _Files(
        artifacts,
        [one.certificate for one in anchors if one.certificate is not None],
        [one for one in (*artifacts, *crl_files) if one.crl is not None],
        (*unread, *unread_anchors, *unread_crls),
        sets,
        options,
    ).results()


def _read(paths: Sequence[Path], passphrases: Sequence[bytes]) -> tuple[list[Artifact], list[Artifact]]:
    """Return the artifacts in files, and those that cannot be used, each with the reason."""
    artifacts, unread, failures = list[Artifact](), list[Artifact](), list[InputError]()
    for path in paths:
        try:
            content = read_input(path, passphrases)
        except InputError as error:
            failures.append(error)
            unread.append(unusable_file(str(path), str(error).removeprefix(f"{path} ")))
            continue
        artifacts += content
        unread += unusable_parts(content, read_file(path, _MAX_FILE) if path.is_file() else b"", str(path))
    if failures and len(failures) == len(paths):
        raise failures[0]
    return artifacts, unread


class _Files:
    """The artifacts of a command, and the results for them."""

    def __init__(
        self,
        artifacts: list[Artifact],
        anchors: list[Certificate],
        crls: list[Artifact],
        unread: Sequence[Artifact],
        sets: Sequence[RequirementSet],
        options: CheckOptions,
    ) -> None:
        self._artifacts, self._crls, self._sets = artifacts, crls, options.switched(sets)
        self._unread = tuple(unread)
        given = [one.crl for one in crls if one.crl is not None]
        self._lookup = CrlLookup(get=options.download())
        self._base = CheckInput(
            now=options.now,
            anchors=tuple(anchors),
            look=self._lookup.look,
            crls=tuple(given),
            given=tuple(artifacts),
            unread=tuple(dict.fromkeys(one.source.file for one in unread)),
        )

    def results(self) -> tuple[CheckResult, ...]:
        leaves = certificates_to_check(self._artifacts)
        if len(leaves) > MAX_LEAVES:
            raise InputError(f"{len(leaves):,} certificates to check; the limit is {MAX_LEAVES}")
        results = [self._of_certificate(leaf, leaves) for leaf in leaves]
        if not leaves:
            results = [self._of_request(one) for one in self._artifacts if one.request is not None]
        results += [self._of_crl(one) for one in self._crls_apart(leaves)]
        return tuple(results) or (self._of_nothing(),)

    def _of_certificate(self, leaf: Artifact, leaves: Sequence[Artifact]) -> CheckResult:
        beside = without_other_leaves(leaf, leaves, self._artifacts)
        presented = self._presented(leaf, beside, alone=len(leaves) == 1)
        assert leaf.certificate is not None
        presented = replace(presented, authority=is_ca(leaf.certificate, with_key=presented.key is not None))
        unused = self._unused(presented) if len(leaves) == 1 else ()
        return check(leaf.source.file, presented, self._sets, (*self._unread, *unused))

    def _presented(self, leaf: Artifact, beside: Sequence[Artifact], *, alone: bool) -> CheckInput:
        """Return the leaf with the key that matches (or the only one) and the chain."""
        key = key_of(leaf, beside, alone=alone)
        return replace(
            self._base,
            certificate=leaf.certificate,
            certificate_source=leaf.source,
            key=key.key if key else None,
            key_source=key.source if key else None,
            chain=chain_of(leaf, beside) or None,
            read_combined=lambda: self._files_with(leaf),
        )

    def _files_with(self, leaf: Artifact) -> tuple[tuple[Artifact, ...], ...]:
        """Return the contents of each file that contains a certificate, and of closed key stores."""
        with_leaf = (one for one in self._artifacts if one.der == leaf.der or one.kind is Kind.PKCS12)
        files = dict.fromkeys(one.source.file for one in with_leaf)
        return tuple(tuple(one for one in self._artifacts if one.source.file == file) for file in files)

    def _of_request(self, artifact: Artifact) -> CheckResult:
        """Check a request by its subject, key and alternative names, and its key file."""
        assert artifact.request is not None
        try:
            certificate = artifact.request.as_certificate()
        except Malformed as error:
            unread = (*self._unread, replace(artifact, problem=str(error)))
            return check(artifact.source.file, self._base, self._sets, unread)
        presented = self._presented(replace(artifact, value=certificate), self._artifacts, alone=True)
        request = artifact.request
        presented = replace(presented, certificate_source=None, chain=None, requested=True, request=request)
        return check(artifact.source.file, presented, self._sets, self._unread)

    def _of_crl(self, artifact: Artifact) -> CheckResult:
        """Check a CRL in its own right."""
        assert artifact.crl is not None
        known = (one.certificate for one in self._artifacts if one.certificate is not None)
        issuers = tuple(one for one in known if one.normalized_subject == artifact.crl.normalized_issuer)
        presented = replace(self._base, crls=(artifact.crl,), planned_chain=issuers)
        return check(artifact.source.file, presented, self._sets, self._unread)

    def _of_nothing(self) -> CheckResult:
        """Return the result for keys and unusable files without a certificate, which is never accepted."""
        keys = [one for one in self._artifacts if one.key is not None]
        presented = replace(self._base, key=keys[0].key, key_source=keys[0].source) if keys else self._base
        unread = list(self._unread)
        if not unread:
            first = (keys or self._artifacts)[0]
            unread = [replace(first, problem=f"it is a {first.kind}, and no certificate was given")]
        return check(unread[0].source.file, presented, self._sets, unread)

    def _crls_apart(self, leaves: Sequence[Artifact]) -> Iterator[Artifact]:
        """Yield the CRLs that concern no certificate among the inputs but, if anything, their own CA's."""
        issued = set()
        for one in self._artifacts:
            if one.certificate is not None and not one.certificate.is_self_issued:
                issued.add(one.certificate.normalized_issuer)
                issued |= _crl_issuers(one.certificate)
        for one in self._crls:
            if one.crl is not None and one.crl.normalized_issuer not in issued:
                yield one

    def _unused(self, presented: CheckInput) -> Iterator[Artifact]:
        """Yield the inputs beside the only certificate that no requirement is about, with the reason."""
        kinds = {
            (demand.kind, name)
            for one in self._sets
            for requirement in one.active
            for demand in requirement.demands
            for name in demand.model_fields_set
        }
        certificate = presented.certificate
        assert certificate is not None
        for one in self._artifacts:
            if one.kind not in _CHECKED and not one.problem:
                yield replace(one, problem=f"it is a {one.kind}, which is not checked beside a certificate")
        key, source = presented.key, presented.key_source
        matched = ("key_file", "matches") in kinds and not presented.authority
        public = key.public.der if key is not None and key.public is not None else None
        matches = public is None or same_key(public, certificate.subject_public_key_info)
        if source is not None and not matches and not matched:
            yield Artifact(Kind.KEY, source, b"", problem="the key does not match the certificate")
        place = presented.certificate_source
        if place is not None and place.encoding in (Encoding.PEM, Encoding.DER):
            before = (one for one in self._artifacts if one.source.file == place.file)
            first = next(one for one in before if one.certificate is not None)
            if first.source.position < place.position:
                problem = "a CA certificate precedes the certificate; most programs use only the first one"
                yield replace(first, problem=problem)
        if self._is_foreign_chain(presented) and (
            ("chain_file", "issued_by") not in kinds or presented.authority
        ):
            assert presented.chain is not None
            problem = "it does not contain the certificate's issuer"
            yield replace(presented.chain[0], problem=problem)

    def _is_foreign_chain(self, presented: CheckInput) -> bool:
        """Return whether a chain has CA certificates, and none of them issued the certificate."""
        certificate = presented.certificate
        if certificate is None or may_be_self_signed(certificate) or not presented.authorities:
            return False
        return all(one.normalized_subject != certificate.normalized_issuer for one in presented.authorities)


def _crl_issuers(certificate: Certificate) -> set[object]:
    try:
        points = certificate.extensions.crl_distribution_points or ()
    except Malformed:
        return set()
    return {name.normalized[1] for point in points for name in point.crl_issuer}
